"""Label photos by a bundle: find the faces, cut them out, and let the networks vote.

The arithmetic is the pipeline's, and so are the labels: each photo by itself, its largest face, or all of them.
"""
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from math import prod
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from labeller.bundle import Bundle, Model
from labeller.errors import BundleError
from labeller.faces.boxes import middle_box
from labeller.faces.crop import crop_shape, cut_face, resized
from labeller.faces.decoding import MAX_PIXELS, Unreadable, decode_any, decode_photo, read_photo
from labeller.faces.detector import detect
from labeller.faces.everybody import find_everybody
from labeller.faces.prefetch import prefetch
from labeller.faces.selection import main_face
from labeller.results import Face, Photo
from labeller.voting.ballots import decide, vote_of_model, vote_on_ballots
from labeller.voting.probabilities import joint, marginal

SPECIALISTS = "specialists"
FACES = ("largest", "all")
BATCH = 32  # crops of one photo at once, so that a crowd takes no more memory
GIVEN = (str, os.PathLike, bytes, bytearray, Image.Image, np.ndarray)  # what is one photo


class Labeller:
    """Labels photos, in order and with constant memory.

    faces: "largest", the photo's main face, or its middle where none is found, as the pipeline does; or "all", which may be
    none. cropped: the photos are crops of faces already, with the bundle's margin around them. only: some of the bundle's
    attributes, by the networks that know them; without the offsets, which need all. threads: photos looked at side by side;
    by default as many as cores. max_pixels: a larger photo is refused before it is decoded.
    """

    def __init__(self, bundle, faces: str = "largest", cropped: bool = False, only: Iterable[str] | None = None,
                 threads: int | None = None, max_pixels: int = MAX_PIXELS):
        self.bundle = bundle if isinstance(bundle, Bundle) else Bundle(bundle)
        known = list(self.bundle.classes)
        asked = known if only is None else list(only)
        if unknown := [attribute for attribute in asked if attribute not in known]:
            raise BundleError(f"only: {unknown[0]!r} is none of the bundle's attributes, {', '.join(known)}")
        self.only = [attribute for attribute in known if attribute in asked]
        if not self.only:
            raise BundleError(f"only: name at least one of {', '.join(known)}")
        if faces not in FACES:
            raise BundleError(f"faces: {faces!r} is none of {', '.join(FACES)}")
        if threads is not None and threads < 1:
            raise BundleError(f"threads: {threads} is below 1")
        self.faces, self.cropped, self.max_pixels = faces, cropped, max_pixels
        self.threads = threads or os.cpu_count() or 1

    def __call__(self, photos) -> Iterator[Photo]:
        """Yield the result of each photo, in order; one that cannot be read has `error` instead of faces.

        photos: one or an iterable of paths, bytes of a file, PIL images, or arrays (H, W, 3) uint8, RGB.
        """
        return prefetch(self.label, [photos] if isinstance(photos, GIVEN) else photos, self.threads)

    def label(self, photo) -> Photo:
        """The result of one photo; see __call__."""
        return self.label_batch([photo])[0]

    def label_batch(self, photos: Iterable) -> list[Photo]:
        """The results of some photos, in order. They are decoded one after another; their faces are classified together."""
        seen = [self.look(photo) for photo in photos]
        faces = iter(self.label_faces([place for _, places, _ in seen for place in places],
                                      [crop for _, _, crops in seen for crop in crops]))
        return [replace(photo, faces=list(islice(faces, len(places)))) for photo, places, _ in seen]

    def look(self, photo) -> tuple[Photo, list[tuple], list[np.ndarray]]:
        """A photo without labels, where its faces are, as `find` has it, and their crops."""
        source = str(photo) if isinstance(photo, (str, os.PathLike)) else ""
        try:
            pixels = pixels_of(photo, self.max_pixels)
        except Unreadable as reason:
            return Photo(source, error=str(reason)), [], []
        places = self.find(pixels)
        return Photo(source, pixels.shape[:2]), places, [self.cut(pixels, box) for _, box, _ in places]

    def label_faces(self, places: list[tuple], crops: list[np.ndarray]) -> list[Face]:
        """The labels of faces; places and crops: as `look` has them."""
        if not places:
            return []
        numbers, probabilities = self.classify(np.stack(crops))
        out = []
        for i, (how, box, landmarks) in enumerate(places):
            number = None if numbers is None else int(numbers[i])
            each = {attribute: dict(zip(self.bundle.classes[attribute], map(float, values[i])))
                    for attribute, values in probabilities.items()}
            out.append(Face(how, box, landmarks, number, self.labels(number, each), each))
        return out

    def find(self, pixels: np.ndarray) -> list[tuple]:
        """How each face was found, its box in whole pixels, and its landmarks; the largest first."""
        height, width, _ = pixels.shape
        if self.cropped:
            return [("given", (0, 0, width, height), None)]
        if self.faces == "all":
            chosen = find_everybody(pixels, self.bundle.cascade, self.bundle.detect)
        else:
            [(how, faces)] = detect([pixels], self.bundle.cascade, self.bundle.detect)
            face = main_face(faces)
            if face is None:
                return [("center", middle_box(width, height), None)]
            chosen = [(how, face)]
        return [(how, tuple(round(float(side)) for side in face[:4]), face[5:15].reshape(5, 2)) for how, face in chosen]

    def cut(self, pixels: np.ndarray, box) -> np.ndarray:
        """The crop of a face, as the networks learnt from it."""
        if self.cropped:
            return resized(pixels, crop_shape(self.bundle.crop))
        return cut_face(pixels, box, self.bundle.crop)

    def classify(self, crops: np.ndarray) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
        """Joint classes (N,), None if `only` leaves attributes out, and the probabilities (N, C) of each attribute.

        crops: (N, H, W, 3) uint8, RGB.
        """
        attributes, sizes = list(self.bundle.classes), tuple(map(len, self.bundle.classes.values()))
        whole = self.only == attributes
        votes, weights = {}, {SPECIALISTS: self.bundle.specialists_weight}
        for at, model in enumerate(self.bundle.models):
            if model.attribute == "joint":
                votes[f"joint {at}"] = self.vote([model], crops)
                weights[f"joint {at}"] = model.weight
        each = {attribute: self.vote(members, crops) for attribute in self.only
                if (members := [model for model in self.bundle.models if model.attribute == attribute])}
        rule = self.bundle.vote
        if whole:
            ballots = votes | ({SPECIALISTS: joint(*each.values())} if each else {})
            voted = vote_on_ballots(ballots, weights, rule).reshape(-1, prod(sizes))
            return decide(voted, self.bundle.offsets), {name: marginal(voted, sizes, at) for at, name in enumerate(attributes)}
        out = {}
        for attribute in self.only:
            at = attributes.index(attribute)
            ballots = {name: marginal(ballot, sizes, at) for name, ballot in votes.items()}
            out[attribute] = vote_on_ballots(ballots | ({SPECIALISTS: each[attribute]} if each else {}), weights, rule)
        return None, out

    def vote(self, models: list[Model], crops: np.ndarray) -> np.ndarray:
        """One vote (N, C) of all networks of models that tell the same classes."""
        probabilities, temperatures, weights = [], [], []
        for model in models:
            for network in model.networks:
                views = looks(model, resized_all(crops, network.size))
                probabilities.append(np.mean([in_batches(network.run, view) for view in views], axis=0))
                temperatures.append(network.temperature)
                weights.append(model.weight / len(model.networks))
        if len(models) == 1:
            weights = None  # a weight of one alone changes nothing here; a joint model's counts among the ballots
        return vote_of_model(probabilities, temperatures, self.bundle.vote, weights)

    def labels(self, number: int | None, probabilities: dict[str, dict[str, float]]) -> dict[str, str]:
        """The value of each attribute: those of the joint class, or the likeliest where only some were asked for."""
        classes = self.bundle.classes
        if number is None:
            return {attribute: max(values, key=values.get) for attribute, values in probabilities.items()}
        parts = np.unravel_index(number, [len(values) for values in classes.values()])
        return {attribute: values[int(part)] for (attribute, values), part in zip(classes.items(), parts)}


def pixels_of(photo, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """(H, W, 3) uint8, RGB, upright; raises Unreadable, or TypeError for what is no photo."""
    if isinstance(photo, (str, os.PathLike)):
        return read_photo(Path(photo), max_pixels)
    if isinstance(photo, (bytes, bytearray)):
        return decode_photo(bytes(photo), max_pixels)
    if isinstance(photo, Image.Image):
        return decode_any(photo)
    if not isinstance(photo, np.ndarray):
        raise TypeError(f"{type(photo).__name__}: a photo is a path, the bytes of a file, a PIL image or an array")
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3 or not photo.size:
        raise Unreadable(f"an array of shape {photo.shape} and type {photo.dtype}; needed is (H, W, 3) uint8, RGB")
    return photo


def resized_all(crops: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Crops (N, H, W, 3) uint8 at (height, width) `size`."""
    return np.stack([resized(crop, size) for crop in crops])


def in_batches(run, crops: np.ndarray) -> np.ndarray:
    """Probabilities (N, C) of crops (N, H, W, 3) uint8, by a function for at most BATCH of them."""
    return np.concatenate([run(crops[start:start + BATCH]) for start in range(0, len(crops), BATCH)])


def looks(model: Model, crops: np.ndarray) -> list[np.ndarray]:
    """The views of crops that a model's probabilities are the mean of."""
    if model.grey:
        crops = np.stack([cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB) for crop in crops])
    return [crops, np.ascontiguousarray(crops[:, :, ::-1])] if model.views == "flip" else [crops]
