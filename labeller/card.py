"""What card.json must hold: a bundle may come from anywhere, so each value that labelling uses is checked before it is used."""
import re
from itertools import product
from math import prod
from typing import Any

from labeller.errors import BundleError

MOST_CLASSES = 10_000
HASH = re.compile(r"[0-9a-f]{64}")
FILE = re.compile(r"[^/\\\0]+")


class Wrong(Exception):
    """A key of the card, and what is allowed there."""


def check_card(card: Any, where) -> None:
    """Raise BundleError, which names the key, its value and what is allowed, for a card that labelling cannot use."""
    try:
        check_files(of(card, "files", dict))
        check_votes(card, check_classes(of(card, "classes", dict)))
        check_detect(of(card, "detect", dict))
        check_crop(of(card, "crop", dict))
        check_about(card)
    except Wrong as wrong:
        raise BundleError(f"{where}: damaged: {wrong}; export it again") from None


def of(section: Any, key: str, kind: type | tuple = object, allowed: str = "") -> Any:
    """The value of a key, of a kind; raises Wrong. True is no number."""
    if not isinstance(section, dict):
        raise Wrong(f"{str(section)[:40]} stands where names and values should")
    if key not in section:
        raise Wrong(f"no {key}")
    value = section[key]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool and kind is not object):
        raise Wrong(f"{key} is {str(value)[:40]}; allowed is {allowed or KINDS[kind]}")
    return value


KINDS = {dict: "a map", list: "a list", str: "a text", bool: "true or false", int: "a whole number", (int, float): "a number"}


def number(section: Any, key: str, low: float, high: float, kind: type | tuple = (int, float)) -> float:
    """The value of a key, a number from low to high; raises Wrong."""
    value = of(section, key, kind)
    if not low <= value <= high:  # which NaN is not
        raise Wrong(f"{key} is {str(value)[:40]}; allowed is {low:g} to {high:g}")
    return value


def one_of(section: Any, key: str, allowed: tuple) -> Any:
    """The value of a key, one of those allowed; raises Wrong."""
    value = of(section, key)
    if value not in allowed:
        raise Wrong(f"{key} is {str(value)[:40]}; allowed are {', '.join(map(str, allowed))}")
    return value


def numbers(section: Any, key: str, count: int, low: float, high: float, kind: type | tuple = (int, float)) -> list:
    """The value of a key, a list of so many numbers from low to high; raises Wrong."""
    values = of(section, key, list)
    if len(values) != count:
        raise Wrong(f"{key} has {len(values)} numbers, and needs {count}")
    return [number({key: value}, key, low, high, kind) for value in values]


def check_files(files: dict) -> None:
    for name, digest in files.items():
        if not FILE.fullmatch(name) or name in (".", "..") or not (isinstance(digest, str) and HASH.fullmatch(digest)):
            raise Wrong(f"files: {name[:40]!r} is no name of a file with its SHA-256")


def check_classes(classes: dict) -> dict[str, list[str]]:
    """The values of each attribute."""
    for attribute in classes:
        values = of(classes, attribute, list)
        if len(values) < 2 or len(set(map(str, values))) < len(values) or not all(isinstance(value, str) for value in values):
            raise Wrong(f"classes.{attribute} is {str(values)[:40]}; allowed are two names or more, each once")
    if not classes or prod(map(len, classes.values())) > MOST_CLASSES:
        raise Wrong(f"classes has {len(classes)} attributes; allowed are 1 or more, of at most {MOST_CLASSES} joint classes")
    return classes


def check_votes(card: dict, classes: dict[str, list[str]]) -> None:
    """The models, and that each attribute has a vote."""
    models = of(card, "models", list)
    weights: dict[str, float] = dict.fromkeys([*classes, "joint"], 0)
    for model in models:
        attribute = one_of(model, "attribute", (*classes, "joint"))
        weights[attribute] += number(model, "weight", 0, 1000)
        one_of(model, "views", ("none", "flip"))
        of(model, "grey", bool)
        if not of(model, "networks", list):
            raise Wrong(f"a model of {attribute} has no networks")
        for network in model["networks"]:
            of(network, "file", str)
            numbers(network, "image_size", 2, 1, 4096, int)
            number(network, "temperature", 1e-3, 1e3)
    specialists = [attribute for attribute in classes if any(model["attribute"] == attribute for model in models)]
    if 0 < len(specialists) < len(classes):
        raise Wrong(f"models of {', '.join(specialists)} alone; all attributes must have one, or none")
    if specialists and min(weights[attribute] for attribute in specialists) <= 0:
        raise Wrong("weight is 0 for all models of an attribute")
    if weights["joint"] + number(card, "specialists_weight", 0, 1000) * bool(specialists) <= 0:
        raise Wrong("models have no vote")
    one_of(card, "vote", ("soft", "hard"))
    numbers(card, "offsets", prod(map(len, classes.values())), -1e6, 1e6)


def names_of(attribute: str, classes: dict[str, list[str]]) -> list[str]:
    """What a model of an attribute, or of all ("joint"), tells apart."""
    return ["_".join(names) for names in product(*classes.values())] if attribute == "joint" else list(classes[attribute])


def check_detect(detect: dict) -> None:
    for key in ("min_face", "lenient_min_face"):
        number(detect, key, 12, 10_000, int)
    for key in ("thresholds", "lenient_thresholds"):
        numbers(detect, key, 3, 0, 1)
    of(detect, "second_look", bool)
    number(detect, "sure_votes", 0, 1e6, int)
    number(detect, "sure_share", 0, 1)
    number(detect, "lenient_evidence", -100, 100)


def check_crop(crop: dict) -> None:
    one_of(crop, "method", ("face", "center", "photo"))
    number(crop, "margin", 0, 2)
    number(crop, "height", 1, 4096, int)
    number(crop, "aspect", 0.25, 4)


def check_about(card: dict) -> None:
    """What the service tells of the bundle."""
    of(card, "name", str)
    of(card, "licence", (str, type(None)), "a text or null")
    of(of(card, "made_from", dict), "revision", (str, type(None)), "a text or null")
    metrics = of(card, "metrics", dict)
    number(metrics, "people", 0, 1e12, int)
    if of(metrics, "f1", (int, float, type(None)), "a number or null") is not None:
        number(metrics, "f1", 0, 1)
        for end in ("low", "high"):
            number(of(of(metrics, "interval", dict), "f1", dict), end, 0, 1)
