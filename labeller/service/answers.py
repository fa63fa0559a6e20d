"""The form of the service's answers, which its OpenAPI description shows."""
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


def numbers(kind: type, count: int):
    """A list of so many numbers."""
    return Annotated[list[kind], Field(min_length=count, max_length=count)]


class FaceAnswer(BaseModel):
    """One face. Coordinates are pixels of the upright photo."""

    model_config = ConfigDict(title="Face")
    found: Literal["mtcnn", "lenient", "padded", "center", "given"] = Field(
        description="mtcnn; lenient: by the second look; padded: by a look at the photo with a border; center: no face, the "
                    "photo's middle; given: the photo is a crop")
    box: numbers(int, 4) = Field(description="x0, y0, x1, y1; x1 and y1 exclusive")
    landmarks: list[numbers(float, 2)] | None = Field(description="eyes, nose, corners of the mouth; null without a face")
    number: int | None = Field(alias="class", description="the joint class, 0 to 17; null with `only`")
    labels: dict[str, str] = Field(description="the value of each attribute")
    probabilities: dict[str, dict[str, float]] = Field(description="of each value of each attribute")


class PhotoAnswer(BaseModel):
    """A photo's faces, the largest first."""

    model_config = ConfigDict(title="Photo")
    width: int
    height: int
    faces: list[FaceAnswer]


class BundleAnswer(BaseModel):
    """What the labels come from."""

    model_config = ConfigDict(title="Bundle")
    name: str
    revision: str | None = Field(description="git commit of the code and parameters")
    licence: str | None = Field(description="of the photos that it learnt from")
    classes: dict[str, list[str]]
    f1: float | None = Field(description="macro F1 of the joint classes, on people that were held out; null without labels")
    interval: numbers(float, 2) | None = Field(description="95% of it, over people")
    people: int = Field(description="who were held out")
    megabytes: float = Field(description="largest photo taken")
    megapixels: float = Field(description="largest photo taken")


class Problem(BaseModel):
    """Why there are no labels."""

    model_config = ConfigDict(title="Problem")
    error: str = Field(description="the reason, in one line")


class Health(BaseModel):
    """Whether photos can be labelled."""

    status: Literal["ok", "failing"]
