"""What the work on a photo depends on beside the photo: parameters, code, libraries, and what chooses their algorithms."""
import hashlib
import json
import os
import platform
import sys
from pathlib import Path

import cv2

CODE = ("stages.core.face_store", "stages.faces", "stages.resume", "stages.shards", "labeller.faces", "facenet_pytorch")
LIBRARIES = ("numpy", "cv2", "PIL", "simplejpeg", "torch", "torchvision")
VARIABLES = ("ATEN_", "MKL_", "ONEDNN_", "OPENCV_")


def key_of(*settings) -> str:
    """A hash of the settings, and of the code and libraries that are loaded, and of this processor's instructions."""
    files = [module.__file__ for name, module in sorted(sys.modules.items())
             if name.startswith(CODE) and getattr(module, "__file__", None)]
    versions = {name: getattr(sys.modules.get(name), "__version__", None) for name in LIBRARIES}
    chosen = {key: value for key, value in os.environ.items() if key.startswith(VARIABLES)}
    parts = [[hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in files], versions, sorted(chosen.items()),
             platform.machine(), cv2.getCPUFeaturesLine(), *map(str, settings)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
