"""Draw a synthetic data set in the contest's layout, with its pitfalls. Run: python -m stages.sample

Reads   params.yaml            sample: number of people and seed; machine.workers: processes that draw
Writes  data/sample/train/     train.csv, and images/<path>/ with seven photos a person
        data/sample/eval/      info.csv, images/ with the photos to label, and answers.csv, which only a sample has

The same parameters give the same bytes for any number of processes.
"""
import hashlib
import shutil
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from stages.core.classes import CONTEST
from stages.core.command_line import run
from stages.core.files import write_csv
from stages.core.params import read_params
from stages.core.progress import progress
from stages.synthetic.appearance import draw_look
from stages.synthetic.masks import BARE, INCORRECT, WORN
from stages.synthetic.render import draw_photo

PHOTOS = {**{f"mask{n}": WORN for n in range(1, 6)}, "incorrect_mask": INCORRECT, "normal": BARE}  # name: mask
AGES = ((18, 30), (30, 60), (60, 76))  # years of the three groups, the end exclusive
NEAR_BORDER = ((28, 30), (30, 33), (57, 60), (60, 63))
FEW = 60  # below this many people the age groups are equally large; from here on as in ROUND
ROUND = (0, 1, 0, 1, 2)
# The header of an AppleDouble file, which macOS leaves beside photos on USB sticks.
JUNK = bytes.fromhex("00051607000200004d6163204f53205820202020202020200002") + bytes(70)
# Ids of people in the contest's corrections, which must not apply to synthetic people.
TAKEN = frozenset((
    20, 225, 664, 667, 725, 736, 767, 817, 1009, 1064, 1498, 1509, 1637, 1666, 1720, 1852, 3113, 3223, 3397,
    3780, 4281, 4348, 4418, 4432, 5223, 5227, 6359, 6360, 6361, 6362, 6363, 6364, 6424, 6504,
))


@cache
def person_ids(people: int) -> tuple[str, ...]:
    """Ids from 000101 on. As in the contest, one has a suffix, and two people share one."""
    free = [n for n in range(101, 101 + people + len(TAKEN)) if n not in TAKEN]
    ids = [f"{n:06d}" for n in free[:people]]
    if people > 1:
        ids[1] = f"{ids[0]}-1"
    if people > 3:
        ids[3] = ids[2]
    return tuple(ids)


def person_traits(number: int, people: int, rng) -> tuple[int, int]:
    """Gender, and age in years, of person `number` of `people`; genders and age groups take turns."""
    turn = number // 2
    group = ROUND[turn % len(ROUND)] if people >= FEW else turn % len(AGES)
    low, high = AGES[group]
    near = [border for border in NEAR_BORDER if low <= border[0] < high]
    if rng.random() < 0.15 * len(near):
        low, high = near[rng.integers(len(near))]
    return number % 2, int(rng.integers(low, high))


def photo_suffix(number: int, name: str) -> str:
    """Mostly .jpg; a few people have other suffixes, and some several."""
    odd = {2: ".jpeg", 4: {"mask2": ".jpeg", "incorrect_mask": ".png"}.get(name, ".jpg"), 9: ".png"}
    return odd.get(number % 20, ".jpg")


def write_photo(photo: np.ndarray, file: Path) -> None:
    """Write a photo (H, W, 3) uint8, RGB, in the format of the file's suffix."""
    quality = [] if file.suffix == ".png" else [cv2.IMWRITE_JPEG_QUALITY, 90]
    done, data = cv2.imencode(file.suffix, cv2.cvtColor(photo, cv2.COLOR_RGB2BGR), quality)
    assert done, file
    file.write_bytes(data.tobytes())


def draw_person(folder: Path, people: int, eval_people: int, seed: int, number: int) -> list[dict]:
    """Draw the seven photos of one person, and return the rows for train.csv (one) or answers.csv (seven).

    number: 0 to people - 1 are to train on, the rest to label.
    """
    rng = np.random.default_rng([seed, number])
    training = number < people
    place = (number, people) if training else (number - people, eval_people)
    gender, age = person_traits(*place, rng)
    look = draw_look(gender, age, rng)
    photos = {name: draw_photo(look, mask, rng) for name, mask in PHOTOS.items()}
    if not training:
        rows = []
        for name, photo in photos.items():
            hidden = hashlib.sha1(f"{seed} {number} {name}".encode()).hexdigest() + ".jpg"
            write_photo(photo, folder / "eval/images" / hidden)
            rows.append({"ImageID": hidden, "ans": int(CONTEST.encode(PHOTOS[name], gender, CONTEST.age_group(age)))})
        return rows
    row = {"id": person_ids(people)[number], "gender": CONTEST.values["gender"][gender], "race": "Asian", "age": age}
    row["path"] = "_".join(str(value) for value in row.values())
    home = folder / "train/images" / row["path"]
    home.mkdir()
    for name, photo in photos.items():
        write_photo(photo, home / (name + photo_suffix(number, name)))
    if number % 11 == 1:
        (home / "._mask1.jpg").write_bytes(JUNK)
    return [row]


def draw_sample(folder: Path, people: int, eval_people: int, seed: int, jobs: int) -> None:
    """Draw `people` to train on and `eval_people` to label into `folder`, which appears whole or not at all.

    The same arguments give the same bytes. jobs: number of processes; with 1 or fewer the calling one draws.
    """
    folder = Path(folder)
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        draw_files(part, people, eval_people, seed, jobs)
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def draw_files(part: Path, people: int, eval_people: int, seed: int, jobs: int) -> None:
    """As draw_sample, into a folder that is not there yet."""
    (part / "train/images").mkdir(parents=True)
    (part / "eval/images").mkdir(parents=True)
    draw = partial(draw_person, part, people, eval_people, seed)
    numbers = range(people + eval_people)
    if jobs > 1:
        with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
            rows = list(progress(pool.map(draw, numbers, chunksize=4), "drawing people", len(numbers), "person"))
    else:
        rows = [draw(number) for number in progress(numbers, "drawing people", unit="person")]
    write_csv(pd.DataFrame([row for one in rows[:people] for row in one]), part / "train/train.csv")
    answers = pd.DataFrame([row for one in rows[people:] for row in one], columns=["ImageID", "ans"])
    answers = answers.sort_values("ImageID")
    write_csv(answers, part / "eval/answers.csv")
    write_csv(answers.assign(ans=0), part / "eval/info.csv")


def main() -> None:
    p = read_params()
    s, jobs = p.sample, max(1, p.machine.workers)
    draw_sample(Path("data/sample"), s.people, s.eval_people, s.seed, jobs)


if __name__ == "__main__":
    run(main, words=False)
