"""List every photo: who is on it, in which part it is, and what the table says of it. Run: python -m stages.index

Reads   data.root, in the contest's layout, or the table data.table whose photos lie under data.root
Writes  data/photos.csv   photo,person,part,md5        one row a photo; part is train or eval
        data/given.csv    photo,person,mask,gender,age labels of the training part, as given
        data/unused.csv   file,reason                  every other file in the folders of photos

Later stages know a photo by its md5 in photos.csv, so a changed photo reruns them and a changed label does not.
"""
import hashlib
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import pandas as pd
from tqdm import tqdm

from stages.lib.classes import OLDEST, VALUES
from stages.lib.errors import UserError, run
from stages.lib.files import read_csv, write_csv
from stages.lib.params import read_params
from stages.lib.photos import SUFFIXES

MASK_OF = {f"mask{i}": "worn" for i in range(1, 6)} | {"incorrect_mask": "incorrect", "normal": "bare"}
COLUMNS = ["photo", "person", "part", "mask", "gender", "age"]
SHOWN = 3  # how many examples an error names


def names(items) -> str:
    items = sorted(items)
    return ", ".join(items[:SHOWN]) + (f" and {len(items) - SHOWN} more" if len(items) > SHOWN else "")


def files_in(folder: Path) -> list[Path]:
    """Every file below a folder, sorted, also a link to nowhere."""
    return sorted(file for file in folder.rglob("*") if not file.is_dir())


def why_unused(file: Path, root: Path) -> str | None:
    """The reason why a file below `root` can't be a photo, by its name alone."""
    if any(part.startswith(".") for part in file.relative_to(root).parts):
        return "junk: the name starts with a dot"
    if not file.is_file():
        return "a link to nowhere"
    if file.suffix.lower() not in SUFFIXES:
        return f"not a photo: the name ends with none of {' '.join(SUFFIXES)}"
    return None


def read_contest(root: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read the contest's layout below `root`: rows of COLUMNS, and the reason of each file not used."""
    train, unused = read_train(root)
    evals, more = read_eval(root)
    beside = {file.relative_to(root).as_posix() for file in files_in(root)} - {"train/train.csv", "eval/info.csv"}
    rest = {file: why_unused(root / file, root) or "outside train/images and eval/images"
            for file in sorted(beside) if not file.startswith(("train/images/", "eval/images/"))}
    return pd.DataFrame(train + evals, columns=COLUMNS), unused | more | rest


def read_train(root: Path):
    table, images = root / "train/train.csv", root / "train/images"
    people = read_csv(table, ["id", "gender", "age", "path"])
    if not images.is_dir():
        raise UserError(f"{images}: no such folder; it holds a folder of photos for each row of {table}")
    twice = people.path[people.path.duplicated()]
    if len(twice):
        raise UserError(f"{table}: path {names(set(twice))} stands in two rows; each person needs a path of their own")
    folders = {folder.name for folder in images.iterdir() if folder.is_dir() and not folder.name.startswith(".")}
    if strangers := folders - set(people.path):
        raise UserError(f"{images}: folder {names(strangers)} is not in {table}; add a row or take the folder away")
    if absent := set(people.path) - folders:
        raise UserError(f"{table}: {names(absent)} has no folder in {images}; add the folder or take the row away")
    rows, unused = [], {}
    labels = {person.path: (person.gender, person.age) for person in people.itertuples()}
    for file in files_in(images):
        photo, person = file.relative_to(root).as_posix(), file.parent.name
        reason = why_unused(file, images)
        if not reason and file.parent.parent != images:
            reason = "not in a person's own folder"
        if not reason and file.stem not in MASK_OF:
            reason = f"unknown name: none of {' '.join(MASK_OF)}"
        if not reason and rows and rows[-1][0].rsplit(".", 1)[0] == photo.rsplit(".", 1)[0]:
            reason = f"a second {file.stem} of this person"
        if reason:
            unused[photo] = reason
        else:
            rows.append((photo, person, "train", MASK_OF[file.stem], *labels[person]))
    if bare := set(people.path) - {row[1] for row in rows}:
        raise UserError(f"{images}: no photo in the folder of {names(bare)}; add photos or take folder and row away")
    return rows, unused


def read_eval(root: Path):
    table, images = root / "eval/info.csv", root / "eval/images"
    listed = read_csv(table, ["ImageID"]).ImageID
    twice = listed[listed.duplicated()]
    if len(twice):
        raise UserError(f"{table}: ImageID {names(set(twice))} stands in two rows")
    files, wanted = {f.relative_to(images).as_posix(): f for f in files_in(images)}, set(listed)
    if absent := wanted - files.keys():
        raise UserError(f"{table}: {names(absent)} is not in {images}; add the photo or take the row away")
    unused = {f"eval/images/{name}": why_unused(file, images) or f"not in {table.name}"
              for name, file in files.items() if name not in wanted}
    return [(f"eval/images/{name}", "", "eval", "", "", "") for name in listed], unused


def read_table(root: Path, table: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read one's own table; its photos are paths below `root`. Returns the same as read_contest."""
    rows = read_csv(table, COLUMNS)[COLUMNS].apply(lambda column: column.str.strip())
    rows["photo"] = [PurePosixPath(photo).as_posix() for photo in rows.photo]  # ./a//b.jpg is a/b.jpg
    if len(odd := set(rows.part) - {"train", "eval"}):
        raise UserError(f"{table}: part {names(repr(v) for v in odd)} is not allowed; choose train or eval")
    twice = rows.photo[rows.photo.duplicated()]
    if len(twice):
        raise UserError(f"{table}: photo {names(set(twice))} stands in two rows")
    nobody = rows.photo[(rows.part == "train") & (rows.person == "")]
    if len(nobody):
        raise UserError(f"{table}: photo {names(nobody)} has no person; photos of one person must stay in one fold")
    outside = [p for p in rows.photo if Path(p).is_absolute() or ".." in Path(p).parts]
    if outside:
        raise UserError(f"{table}: photo {names(outside)} is not a path below data.root, {root}")
    if absent := [p for p in rows.photo if not (root / p).is_file()]:
        raise UserError(f"{table}: photo {names(absent)} is not there; paths are relative to data.root, {root}")
    listed = set(rows.photo)
    files = {f.relative_to(root).as_posix(): f for f in files_in(root) if f.resolve() != table.resolve()}
    return rows, {name: why_unused(f, root) or "not in the table" for name, f in files.items() if name not in listed}


def check_labels(rows: pd.DataFrame, table: Path) -> pd.DataFrame:
    """Labels of the training part, by name and in range; 0, 1 and 2 are taken for their names, too."""
    given = rows[rows.part == "train"].drop(columns="part").copy()
    for attribute in ("mask", "gender"):
        allowed = VALUES[attribute]
        given[attribute] = given[attribute].replace({str(i): name for i, name in enumerate(allowed)})
        wrong = given[~given[attribute].isin(allowed)]
        if len(wrong):
            raise UserError(f"{table}: {attribute} of {wrong.person.iloc[0]} is {wrong[attribute].iloc[0]!r}; "
                            f"allowed are {', '.join(allowed)}")
    years = pd.to_numeric(given.age, errors="coerce")
    wrong = given[~(years.between(0, OLDEST) & (years % 1 == 0))]
    if len(wrong):
        raise UserError(f"{table}: age of {wrong.person.iloc[0]} is {wrong.age.iloc[0]!r}; "
                        f"allowed are whole years from 0 to {OLDEST}")
    return given.assign(age=years.astype(int))


def md5_of(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


def printable(name: str) -> str:
    """A file's name as text, whatever bytes it is made of."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def main():
    p = read_params()
    root, table = Path(p.data.root), p.data.table and Path(p.data.table)
    rows, unused = read_table(root, table) if table else read_contest(root)
    given = check_labels(rows, table or root / "train/train.csv")
    if given.empty:
        raise UserError(f"{table or root}: no photo to train on")
    with ThreadPoolExecutor(max(1, p.machine.workers)) as pool:
        digests = pool.map(md5_of, (root / photo for photo in rows.photo))
        rows["md5"] = list(tqdm(digests, "reading", len(rows), unit="photo", mininterval=1))

    write_csv(rows[["photo", "person", "part", "md5"]], "data/photos.csv")
    write_csv(given, "data/given.csv")
    reasons = sorted((printable(file), reason) for file, reason in unused.items())
    write_csv(pd.DataFrame(reasons, columns=["file", "reason"]), "data/unused.csv")
    print(f"{len(rows) + len(unused)} files: {len(given)} photos of {given.person.nunique()} people to train on, "
          f"{len(rows) - len(given)} to label, {len(unused)} not used (data/unused.csv)")
    for reason, count in Counter(unused.values()).most_common():
        print(f"  not used: {count} ({reason})")


if __name__ == "__main__":
    run(main)
