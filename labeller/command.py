"""Label photos, folders of photos and videos:

    label photo.jpg                          one line a face
    label photos/ --csv > labels.csv         a table; --json gives a line of JSON a photo
    label group.jpg --all-faces --draw out   every face; out/ gets the photos with boxes and labels

Exit status: 0 if every photo was labelled, 1 if one could not be read or nothing could be done, 2 for wrong words.
"""
import argparse
import csv
import json
import os
import re
import sys
import time
from itertools import tee
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from labeller.errors import BundleError, one_line
from labeller.inputs.sources import list_files, photos_of
from labeller.labeller import Labeller, pixels_of
from labeller.parser import Parser
from labeller.results import Photo

BUNDLE = os.environ.get("LABEL_BUNDLE", "bundle/model")
RUNS = re.compile(r"'*(?:[=@\t\r\n]|[+-](?!(?:\d+(?:\.\d+)?)?$))")  # texts that a spreadsheet runs; no number, and no lone -


def parser() -> Parser:
    out = Parser(prog="label", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("given", metavar="PHOTO|FOLDER|VIDEO|-", nargs="+", help="- reads one photo from stdin")
    out.add_argument("--bundle", metavar="DIR", default=BUNDLE, help="default: $LABEL_BUNDLE, or bundle/model")
    form = out.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="a table, a row a face, to stdout")
    form.add_argument("--json", action="store_true", help="a line of JSON a photo, to stdout")
    out.add_argument("--only", metavar="ATTRIBUTE", action="append", help="such as mask; may be given several times")
    out.add_argument("--all-faces", action="store_true", help="every face, instead of the largest or the photo's middle")
    out.add_argument("--cropped", action="store_true", help="the photos are crops of faces already")
    out.add_argument("--draw", metavar="DIR", help="write the photos with boxes and labels there, as JPEG")
    out.add_argument("--every", metavar="SECONDS", type=float, default=1.0, help="between two frames of a video; default 1")
    return out


def columns(attributes: list[str]) -> list[str]:
    """Of the table; `class` is 0 to 17, and p_mask the probability of the label in mask."""
    return ["photo", "face", "found", "x0", "y0", "x1", "y1", "class", *attributes, *(f"p_{a}" for a in attributes), "error"]


def rows(photo: Photo, attributes: list[str]):
    """The rows of a photo in the table: one a face, or one without a face."""
    if not photo.faces:
        yield [photo.source, *[""] * (6 + 1 + 2 * len(attributes)), photo.error or "no face"]
    for i, face in enumerate(photo.faces):
        number = "" if face.number is None else face.number
        yield [photo.source, i, face.found, *face.box, number, *face.labels.values(),
               *(f"{face.sure(attribute):.4f}" for attribute in face.labels), ""]


def line(photo: Photo) -> str:
    """A photo as people read it."""
    if not photo.faces:
        return one_line(f"{photo.source}: {photo.error or 'no face'}")
    faces = [", ".join(f"{value} {face.sure(attribute):.0%}" for attribute, value in face.labels.items())
             + (" (no face found: the middle of the photo)" if face.found == "center" else "") for face in photo.faces]
    return one_line(f"{photo.source}: ") + "; ".join(faces)


def writer(args, attributes: list[str]):
    """A function that writes one photo's result to stdout."""
    if args.json:
        return lambda photo: print(json.dumps(photo.to_dict()), flush=True)
    if not args.csv:
        return lambda photo: print(line(photo), flush=True)
    table, quoted = (csv.writer(sys.stdout, lineterminator="\n", quoting=rule) for rule in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    table.writerow(columns(attributes))

    def write(photo: Photo) -> None:
        for row in rows(photo, attributes):
            cells = [disarmed(cell) for cell in row]
            (quoted if "\r" in "".join(map(str, cells)) else table).writerow(cells)  # `table` quotes no carriage return
    return write


def disarmed(cell):
    """A cell of the table, with ' before a text that a spreadsheet would run (OWASP, "CSV Injection")."""
    return f"'{cell}" if isinstance(cell, str) and RUNS.match(cell) else cell


def draw(photo: Photo, given, folder: Path) -> None:
    """Write the annotated photo; its name is that of the source, with / as __, so that none overwrites another."""
    if photo.shape:
        name = photo.source.lstrip("/").replace("/", "__").replace("..", "")
        Image.fromarray(photo.annotate(pixels_of(given))).save(folder / f"{name}.jpg", quality=90)


def label_all(args) -> int:
    """Label everything; returns the number of photos that could not be read."""
    files, left_out = list_files(args.given)
    for file in left_out[:5]:
        print(f"left out: {one_line(file)}", file=sys.stderr)
    if len(left_out) > 5:
        print(f"left out: {len(left_out) - 5} more", file=sys.stderr)
    labeller = Labeller(args.bundle, "all" if args.all_faces else "largest", args.cropped, args.only)
    folder = Path(args.draw) if args.draw else None
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    write, bad, done, started = writer(args, labeller.only), 0, 0, time.monotonic()
    named, photos = tee(photos_of(files, args.every))
    results = labeller(photo for _, photo in photos)
    for (name, given), result in tqdm(zip(named, results), "labelling", unit="photo", disable=not sys.stderr.isatty()):
        photo = Photo(name, result.shape, result.faces, result.error)
        write(photo)
        if folder:
            draw(photo, given, folder)
        bad, done = bad + (photo.error is not None), done + 1
    took = time.monotonic() - started
    print(f"{done} photo{'s' * (done != 1)} in {took:.1f} s, {done / max(took, 1e-3):.3g} photos/s"
          + (f"; {bad} could not be read" if bad else ""), file=sys.stderr)
    return bad


def main(words: list[str] | None = None) -> int:
    """The command `label`; returns its exit status."""
    args = parser().parse_args(words)
    if not args.every > 0:
        parser().error(f"--every {args.every}: must be above 0")
    sys.stdout.reconfigure(errors="backslashreplace")  # a name may be no text
    try:
        return 1 if label_all(args) else 0
    except BundleError as error:
        print(f"error: {error}", file=sys.stderr)
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        print(f"error: {one_line(f'{error.filename or args.draw}: {error.strerror or error}')}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main())
