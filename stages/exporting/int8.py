"""The option export.precision: int8: the networks that vote with weights and activations of 8 bits, a quarter of the size.

Static quantization with scales per channel: Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", 2018. The ranges of activations are those of crops to train on. MTCNN stays in float32,
so that the faces stay the same.
"""
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from labeller.labeller import Labeller, resized_all
from stages.core.classes import Classes
from stages.core.errors import UserError
from stages.core.face_store import Faces
from stages.core.metrics import macro_f1
from stages.core.params import FILE
from stages.core.progress import progress
from stages.exporting.onnx import quiet
from stages.exporting.parity import spread

CALIBRATION = 128  # crops
SCORED = 2000  # crops of held-out people, at most
MOST_LOST = 0.005  # of macro F1
OPERATORS = ["Conv", "Gemm", "MatMul"]


class Crops(CalibrationDataReader):
    """Crops one by one, as quantize_static asks for them."""

    def __init__(self, crops: np.ndarray):
        self.left = iter(crops)

    def get_next(self) -> dict | None:
        crop = next(self.left, None)
        return None if crop is None else {"crops": crop[None]}


def quantize(folder: Path, models: list[dict], faces: Faces) -> None:
    """Replace the networks of a bundle by such of 8 bits. models: those of its card."""
    crops = np.stack([faces[row] for row in spread(range(len(faces)), CALIBRATION)])
    for each in progress([each for model in models for each in model["networks"]], "quantizing", unit="network"):
        file, given = folder / each["file"], Crops(resized_all(crops, tuple(each["image_size"])))
        with tempfile.TemporaryDirectory() as scratch, quiet():
            plain, small = Path(scratch, "plain.onnx"), Path(scratch, "small.onnx")
            quant_pre_process(str(file), str(plain), skip_symbolic_shape=True)
            quantize_static(str(plain), str(small), given, quant_format=QuantFormat.QDQ, per_channel=True,
                            op_types_to_quantize=OPERATORS)
            shutil.copyfile(small, file)


def cost_of_int8(found: dict) -> str:
    """What check_f1 found, in words."""
    if not found["photos"]:
        return "macro F1 in int8 not measured, since no photo has labels of all attributes"
    return "macro F1 {float32:.4f}, in int8 {int8:.4f}, on {photos} photos".format(**found)


def check_f1(before: Labeller, after: Labeller, faces: Faces, labels: pd.DataFrame, classes: Classes) -> dict:
    """Macro F1 before and after, and the photos that it is of; raises UserError where more than MOST_LOST is lost.

    labels: reports/plots/labels.csv, of people who were held out. Without photos that have all labels both are None.
    """
    labels = labels.dropna(subset="class_true")
    if labels.empty:
        return {"float32": None, "int8": None, "photos": 0}
    row, number = {photo: i for i, photo in enumerate(faces.photos)}, {name: i for i, name in enumerate(classes.names)}
    chosen = spread(range(len(labels)), SCORED)
    photos, true = labels.photo.iloc[chosen], labels.class_true.iloc[chosen].map(number).to_numpy()
    crops = np.stack([faces[row[photo]] for photo in photos])
    was, now = (macro_f1(true, labeller.classify(crops)[0], classes.count) for labeller in (before, after))
    if now < was - MOST_LOST:
        raise UserError(f"{FILE}: export.precision: int8 loses {was - now:.3f} of macro F1 ({was:.3f} to {now:.3f} on "
                        f"{len(true)} photos), more than {MOST_LOST}; set it to float32")
    return {"float32": was, "int8": now, "photos": len(true)}
