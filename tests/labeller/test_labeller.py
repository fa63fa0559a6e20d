"""A bundle labels photos as the pipeline does, whatever form they come in; a bad one has its reason in its place."""
import hashlib
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import onnx
import pandas as pd
import pytest
from PIL import Image

from labeller import Labeller
from labeller.bundle import Bundle
from labeller.errors import BundleError
from labeller.faces.decoding import read_photo
from stages.core.classes import CONTEST
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def bundle(exported) -> Bundle:
    return Bundle(exported.root / "bundle/model")


@pytest.fixture(scope="module")
def files(exported) -> list:
    return sorted((exported.root / "data/sample/eval/images").iterdir())


@pytest.fixture(scope="module")
def submitted(exported) -> dict:
    """The class that the pipeline gives each file."""
    return pd.read_csv(exported.root / "reports/submission.csv").set_index("ImageID").ans.to_dict()


def test_photos_get_the_labels_that_the_pipeline_gives_them(bundle, files, submitted):
    photos = list(Labeller(bundle, threads=2)(files))
    assert {photo.source.rsplit("/", 1)[1]: photo.faces[0].number for photo in photos} == submitted
    for photo in photos:
        assert "_".join(photo.faces[0].labels.values()) == CONTEST.names[photo.faces[0].number]
        for values in photo.faces[0].probabilities.values():
            assert sum(values.values()) == pytest.approx(1)


def test_a_photo_is_the_same_as_path_bytes_image_or_array(bundle, files):
    pixels = read_photo(files[0])
    png = Image.fromarray(pixels)
    results = list(Labeller(bundle)(iter([files[0], str(files[0]), files[0].read_bytes(), png, pixels])))
    assert [photo.faces[0].probabilities for photo in results] == [results[0].faces[0].probabilities] * 5
    [alone] = Labeller(bundle)(pixels)  # one photo need not be in a list
    assert alone.faces[0].box == results[0].faces[0].box


def test_a_photo_that_cannot_be_read_has_its_reason_and_the_others_their_places(bundle, files, tmp_path):
    (tmp_path / "notes.jpg").write_text("no photo")
    grey = np.zeros((40, 40), np.uint8)
    photos = list(Labeller(bundle)([files[0], tmp_path / "notes.jpg", tmp_path / "none.jpg", b"", grey, files[1]]))
    assert [photo.error for photo in photos] == [
        None, "not an image", "no such file", "an empty file",
        "an array of shape (40, 40) and type uint8; needed is (H, W, 3) uint8, RGB", None]
    assert [len(photo.faces) for photo in photos] == [1, 0, 0, 0, 0, 1]


def test_all_faces_are_those_of_each_photo_and_none_where_there_is_none(bundle, files):
    sure = next(file for file in files if Labeller(bundle).label(file).faces[0].found == "mtcnn")
    one = read_photo(sure)
    faces = Labeller(bundle, faces="all").label(np.concatenate([one, one], axis=1)).faces
    middles = sorted((face.box[0] + face.box[2]) / 2 for face in faces)
    assert len(faces) == 2
    assert middles[1] - middles[0] == pytest.approx(one.shape[1], rel=0.05)
    empty = np.full((300, 200, 3), 127, np.uint8)
    assert Labeller(bundle, faces="all").label(empty).faces == []
    [middle] = Labeller(bundle).label(empty).faces
    assert (middle.found, middle.landmarks) == ("center", None)


def test_a_crowd_is_labelled_face_by_face(bundle, files):
    crop = np.ascontiguousarray(read_photo(files[0])[100:260, 90:250])
    labeller = Labeller(bundle, cropped=True)
    shape = bundle.crop.height
    many = np.stack([labeller.cut(np.roll(crop, shift, 1), None) for shift in range(70)])
    assert many.shape == (70, shape, shape, 3)
    numbers, probabilities = labeller.classify(many)
    for i in (0, 31, 32, 69):
        [number], alone = labeller.classify(many[i:i + 1])
        assert number == numbers[i]
        np.testing.assert_allclose(probabilities["age"][i], alone["age"][0], atol=1e-5)


def test_only_some_attributes_are_told_by_the_networks_that_know_them(bundle, files, monkeypatch):
    whole, part = Labeller(bundle).label(files[0]).faces[0], None
    for model in bundle.models:
        if model.attribute != "mask":
            monkeypatch.setattr(model.networks[0], "run", None)  # would raise
    part = Labeller(bundle, only=["mask"]).label(files[0]).faces[0]
    assert part.number is None
    assert list(part.labels) == ["mask"]
    assert part.probabilities["mask"] == pytest.approx(whole.probabilities["mask"], abs=1e-6)


def test_a_crop_is_labelled_as_it_is(bundle, files):
    pixels = np.ascontiguousarray(read_photo(files[0])[100:260, 90:250])
    [face] = Labeller(bundle, cropped=True).label(pixels).faces
    assert (face.found, face.box) == ("given", (0, 0, 160, 160))


def test_an_annotated_photo_shows_the_box_and_keeps_the_rest(bundle, files):
    pixels = read_photo(files[0])
    photo = Labeller(bundle).label(pixels)
    drawn = photo.annotate(pixels)
    x0, y0, x1, y1 = photo.faces[0].box
    assert drawn.shape == pixels.shape
    assert (drawn[y1 - 1, (x0 + x1) // 2] == (46, 160, 67)).all()
    changed = (drawn != pixels).any(2)
    assert 0.001 < changed.mean() < 0.2
    assert not changed[(y0 + y1) // 2, x0 + 9 : x1 - 9].any()


@pytest.mark.parametrize("options, said", [
    ({"only": ["nose"]}, "only: 'nose' is none of the bundle's attributes, mask, gender, age"),
    ({"only": []}, "only: name at least one of mask, gender, age"),
    ({"faces": "none"}, "faces: 'none' is none of largest, all"),
    ({"threads": 0}, "threads: 0 is below 1"),
])
def test_a_wrong_option_is_named(bundle, options, said):
    with pytest.raises(BundleError, match=said):
        Labeller(bundle, **options)


def damaged(exported, tmp_path, change) -> str:
    folder = tmp_path / "bundle"
    shutil.copytree(exported.root / "bundle/model", folder)
    change(folder)
    with pytest.raises(BundleError) as error:
        Bundle(folder)
    return str(error.value).replace(str(folder), "BUNDLE")


def test_a_bundle_that_is_not_whole_is_refused_before_anything_of_it_is_used(exported, tmp_path_factory):
    def flip(folder):
        data = bytearray((folder / "age-0.onnx").read_bytes())
        data[len(data) // 2] ^= 1
        (folder / "age-0.onnx").write_bytes(data)

    def card(old, new):
        return lambda folder: (folder / "card.json").write_text((folder / "card.json").read_text().replace(old, new, 1))

    def elsewhere(folder):
        """Weights in a file that the card does not name, which ONNX Runtime would look for in the working folder."""
        onnx.save(onnx.load(folder / "age-0.onnx"), folder / "age-0.onnx", save_as_external_data=True, location="weights.bin")
        told = json.loads((folder / "card.json").read_text())
        told["files"]["age-0.onnx"] = hashlib.sha256((folder / "age-0.onnx").read_bytes()).hexdigest()
        (folder / "card.json").write_text(json.dumps(told))

    for change, said in [
        (flip, "BUNDLE/age-0.onnx: damaged, since its hash is not the card's; copy the bundle again"),
        (lambda folder: (folder / "onet.onnx").unlink(), "BUNDLE/onet.onnx: No such file or directory; copy the bundle again"),
        (lambda folder: (folder / "card.json").unlink(), "BUNDLE: no bundle, for it has no card.json; "),
        (lambda folder: (folder / "card.json").write_text("{"), "BUNDLE/card.json: not a card (JSONDecodeError)"),
        (card('"format": 1', '"format": 2'), "BUNDLE/card.json: format 2, and this version reads 1"),
        (card('"file": "age-0.onnx"', '"file": "../age-0.onnx"'), "BUNDLE/card.json: names no file '../age-0.onnx'"),
        (card('"offsets"', '"offset"'), "BUNDLE/card.json: damaged: no offsets; export it again"),
        (card('"soft"', '"loud"'), "damaged: vote is loud; allowed are soft, hard"),
        (card('"grey": false', '"grey": 0'), "damaged: grey is 0; allowed is true or false"),
        (card('"weight": 1.0', '"weight": -1'), "damaged: weight is -1; allowed is 0 to 1000"),
        (card('"weight": 1.0', '"weight": 0'), "damaged: weight is 0 for all models of an attribute"),
        (card('"attribute": "age"', '"attribute": "joint"'), "damaged: models of mask, gender alone; all attributes must"),
        (card('"specialists_weight": 1.0', '"specialists_weight": 0'), "damaged: models have no vote"),
        (card('"temperature": 1.0', '"temperature": 0'), "damaged: temperature is 0; allowed is 0.001 to 1000"),
        (card('"temperature": 1.0', '"temperature": NaN'), "damaged: temperature is nan; allowed is 0.001 to 1000"),
        (card('"image_size": [\n            32', '"image_size": [\n            5000'), "is 5000; allowed is 1 to 4096"),
        (card('"image_size": [\n            32', '"image_size": [\n            33'), "mask-0.onnx: its inputs and outputs, "),
        (card('"offsets": [', '"offsets": [0,'), "damaged: offsets has 19 numbers, and needs 18"),
        (card('"min_face": 120', '"min_face": "120"'), "damaged: min_face is 120; allowed is a whole number"),
        (card('"height": 32', '"height": 1e9'), "damaged: height is 1000000000.0; allowed is a whole number"),
        (card('"male"', '"female"'), "classes.gender is ['female', 'female']; allowed are two names"),
        (card('"male"', '"man"'), "its classes are not those of a model of gender"),
        (card('"file": "mask-0.onnx"', '"file": "age-0.onnx"'), "age-0.onnx: its classes are not those of a model of mask"),
        (card('"pnet.onnx": "', '"../pnet.onnx": "'), "damaged: files: '../pnet.onnx' is no name of a file with its SHA-256"),
        (card('"f1": 0.', '"f1": "high", "f2": 0.'), "damaged: f1 is high; allowed is a number or null"),
        (lambda folder: (folder / "card.json").write_text("[" * 5000), "BUNDLE/card.json: not a card (RecursionError)"),
        (lambda folder: (folder / "card.json").write_bytes(bytes(10_000_001)), "10000001 bytes, and a card has at most"),
        (lambda folder: ((folder / "card.json").unlink(), os.mkfifo(folder / "card.json")), "it has no card.json; "),
        (lambda folder: ((folder / "onet.onnx").unlink(), os.mkfifo(folder / "onet.onnx")), "No such file"),
        (elsewhere, "BUNDLE/age-0.onnx: its weights lie in another file, unchecked; export it again"),
    ]:
        assert said in damaged(exported, tmp_path_factory.mktemp("damaged"), change)


def test_labelling_needs_neither_torch_nor_anything_else_of_the_pipeline(exported, files):
    code = ("import sys; sys.path.insert(0, sys.argv[1]); from labeller import Labeller;"
            "[photo] = Labeller(sys.argv[2])(sys.argv[3]); assert photo.faces;"
            "print({'torch', 'timm', 'pandas', 'scipy', 'sklearn', 'stages', 'facenet_pytorch'} & set(sys.modules))")
    words = [str(ROOT), str(exported.root / "bundle/model"), str(files[0])]
    done = subprocess.run([sys.executable, "-c", code, *words], check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"
