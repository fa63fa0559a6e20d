"""What a photo gets: its faces, and for each the labels with their probabilities."""
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GREEN = (46, 160, 67)


@dataclass(frozen=True)
class Face:
    """One face. All coordinates are pixels of the upright photo.

    found: "mtcnn", "lenient" (by the second look), "padded" (by a look at the photo with a border), "center" (no face:
        the photo's middle) or "given" (a crop).
    box: (x0, y0, x1, y1), x1 and y1 exclusive. landmarks: (5, 2), x and y of the eyes, the nose and the corners of the mouth,
    left in the photo first; None without a detected face.
    number: 0 to 17, the joint class; None where only some attributes were asked for.
    labels: the value of each attribute, such as {"mask": "worn"}; probabilities: of all values of each attribute.
    """

    found: str
    box: tuple[int, int, int, int]
    landmarks: np.ndarray | None
    number: int | None
    labels: dict[str, str]
    probabilities: dict[str, dict[str, float]]

    def sure(self, attribute: str) -> float:
        """The probability of the label of an attribute."""
        return self.probabilities[attribute][self.labels[attribute]]

    def to_dict(self) -> dict:
        """The face as JSON takes it."""
        points = None if self.landmarks is None else self.landmarks.round(1).tolist()
        rounded = {attribute: {value: round(p, 4) for value, p in each.items()}
                   for attribute, each in self.probabilities.items()}
        return {"found": self.found, "box": list(self.box), "landmarks": points, "class": self.number,
                "labels": self.labels, "probabilities": rounded}


@dataclass(frozen=True)
class Photo:
    """A photo's faces, the largest first. source: what was given, if it has a name. error: why it could not be read."""

    source: str
    shape: tuple[int, int] | None = None
    faces: list[Face] = field(default_factory=list)
    error: str | None = None

    def to_dict(self) -> dict:
        """The photo as JSON takes it."""
        width, height = self.shape[::-1] if self.shape else (None, None)
        return {"photo": self.source, "width": width, "height": height, "error": self.error,
                "faces": [face.to_dict() for face in self.faces]}

    def annotate(self, photo: np.ndarray) -> np.ndarray:
        """The photo (H, W, 3) uint8, RGB, with the faces' boxes and labels drawn on it."""
        image = Image.fromarray(photo)
        draw, line = ImageDraw.Draw(image), max(2, round(max(image.size) / 400))
        for face in self.faces:
            x0, y0, x1, y1 = face.box
            draw.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), outline=GREEN, width=line)
            font = ImageFont.load_default(max(10, round((x1 - x0) / 9)))  # no wider than the face, beside which others stand
            text = "\n".join(f"{value} {face.sure(attribute):.0%}" for attribute, value in face.labels.items())
            wide, high = (round(side) + 2 * line for side in draw.multiline_textbbox((0, 0), text, font=font)[2:])
            x = max(0, min(x0, image.width - wide))
            y = y0 - high if y0 >= high else min(y1, image.height - high)
            draw.rectangle((x, y, x + wide, y + high - 1), fill=GREEN)
            draw.multiline_text((x + line, y), text, fill="white", font=font)
        return np.asarray(image)
