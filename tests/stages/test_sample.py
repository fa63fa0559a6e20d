"""The drawn sample has the contest's layout and traps, comes out the same again, and shows faces."""
import hashlib
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from facenet_pytorch import MTCNN

from labeller.faces.decoding import Unreadable, read_photo
from stages.core.classes import CONTEST
from stages.sample import FEW, PHOTOS, TAKEN, draw_sample, person_ids, person_traits, photo_suffix
from stages.synthetic.appearance import draw_look
from stages.synthetic.masks import BARE
from stages.synthetic.render import draw_photo

PEOPLE, EVAL_PEOPLE, SEED = 12, 2, 5


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn") / "sample"
    draw_sample(folder, PEOPLE, EVAL_PEOPLE, SEED, jobs=1)
    return folder


def digests(folder):
    """The SHA-256 of each file, by its path in the folder."""
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest()
            for f in folder.rglob("*") if f.is_file()}


def read_people(sample):
    return pd.read_csv(sample / "train/train.csv", dtype=str)


def photos_of(home):
    return [file for file in sorted(home.iterdir()) if not file.name.startswith(".")]


def test_train_csv_has_one_row_a_person_whose_path_is_made_of_the_other_columns(sample):
    people = read_people(sample)
    assert list(people) == ["id", "gender", "race", "age", "path"] and len(people) == PEOPLE
    assert (people.path == people[["id", "gender", "race", "age"]].agg("_".join, axis=1)).all()
    assert people.path.is_unique and set(people.gender) == {"male", "female"}


def test_each_person_has_the_seven_photos(sample):
    people = read_people(sample)
    assert {home.name for home in (sample / "train/images").iterdir()} == set(people.path)
    for path in people.path:
        assert {f.stem for f in photos_of(sample / "train/images" / path)} == set(PHOTOS)


def test_photos_are_384_by_512_in_the_format_their_suffix_says(sample):
    magic = {".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff", ".png": b"\x89PNG"}
    for home in (sample / "train/images").iterdir():
        for file in photos_of(home):
            assert file.read_bytes().startswith(magic[file.suffix])
            assert read_photo(file).shape == (512, 384, 3)


def test_suffixes_are_mixed_even_within_a_folder_and_mostly_jpg(sample):
    suffixes = [[file.suffix for file in photos_of(home)] for home in (sample / "train/images").iterdir()]
    assert any(set(one) == {".jpg", ".jpeg", ".png"} for one in suffixes)
    assert np.mean([photo_suffix(n, name) == ".jpg" for n in range(200) for name in PHOTOS]) > 0.8


def test_some_folders_hold_junk_that_is_no_photo(sample):
    junk = list((sample / "train/images").rglob("._*"))
    assert 0 < len({file.parent for file in junk}) < PEOPLE
    for file in junk:
        with pytest.raises(Unreadable):
            read_photo(file)


def test_one_id_belongs_to_two_people_and_one_has_a_suffix(sample):
    people = read_people(sample)
    shared = people[people.id.duplicated(keep=False)]
    assert len(shared) == 2 and shared.id.nunique() == 1 and shared.path.nunique() == 2
    assert people.id.str.fullmatch(r"\d{6}-1").sum() == 1


def test_no_id_is_one_of_the_contests_people_with_disputed_labels():
    ids = person_ids(7000)
    assert len(ids) == 7000 and not TAKEN & {int(one.split("-")[0]) for one in ids}


def test_eval_photos_have_hidden_names_and_info_csv_lists_them_sorted(sample):
    info = pd.read_csv(sample / "eval/info.csv")
    files = sorted(file.name for file in (sample / "eval/images").iterdir())
    assert list(info) == ["ImageID", "ans"] and list(info.ImageID) == files
    assert len(files) == EVAL_PEOPLE * len(PHOTOS)
    assert (info.ans == 0).all() and info.ImageID.str.fullmatch(r"[0-9a-f]{40}\.jpg").all()


def test_answers_have_the_rows_of_info_csv_and_the_seven_photos_of_each_person(sample):
    info, answers = pd.read_csv(sample / "eval/info.csv"), pd.read_csv(sample / "eval/answers.csv")
    assert (info.ImageID == answers.ImageID).all()
    mask, gender, age = CONTEST.decode(answers.ans)
    assert sorted(mask) == sorted(list(PHOTOS.values()) * EVAL_PEOPLE)
    assert (pd.DataFrame({"gender": gender, "age": age}).value_counts() % len(PHOTOS) == 0).all()


@pytest.mark.parametrize("people", [12, FEW, 200])
def test_there_are_people_of_each_gender_and_age_group(people):
    traits = [person_traits(n, people, np.random.default_rng([SEED, n])) for n in range(people)]
    cells = pd.DataFrame([(gender, int(CONTEST.age_group(age))) for gender, age in traits]).value_counts()
    assert len(cells) == 6 and cells.min() >= (5 if people >= FEW else people // 6)
    assert all(18 <= age <= 75 for _, age in traits)


def test_the_photos_of_a_person_differ(sample):
    home = next((sample / "train/images").iterdir())
    photos = [read_photo(file).astype(int) for file in photos_of(home)]
    for i, one in enumerate(photos):
        assert all(np.abs(one - other).mean() > 2 for other in photos[:i])


def test_the_same_seed_gives_the_same_bytes_whatever_the_jobs(sample, tmp_path):
    draw_sample(tmp_path / "again", PEOPLE, EVAL_PEOPLE, SEED, jobs=2)
    assert digests(tmp_path / "again") == digests(sample)


def test_another_seed_gives_other_pictures(sample, tmp_path):
    draw_sample(tmp_path / "other", 2, 1, SEED + 1, jobs=1)
    drawn = digests(tmp_path / "other").items()
    photos = {digest for path, digest in drawn if "images" in path and "._" not in path}
    assert photos and not photos & set(digests(sample).values())


def test_the_folder_appears_whole_or_not_at_all(sample, tmp_path, monkeypatch):
    shutil.copytree(sample / "eval", tmp_path / ".sample.part/eval")  # left over by a run that was killed
    draw_sample(tmp_path / "sample", 2, 0, SEED, jobs=1)
    assert not list((tmp_path / "sample/eval/images").iterdir())

    def fail(*_):
        raise OSError("disk full")
    monkeypatch.setattr("stages.sample.write_photo", fail)
    with pytest.raises(OSError):
        draw_sample(tmp_path / "broken", 2, 0, SEED, jobs=1)
    assert not (tmp_path / "broken").exists()


def test_drawing_needs_no_torch():
    code = "import sys, stages.sample; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_mtcnn_finds_the_bare_faces():
    rng, people = np.random.default_rng(SEED), 36
    looks = [draw_look(*person_traits(n, people, rng), rng) for n in range(people)]
    photos = np.stack([draw_photo(look, BARE, rng) for look in looks])
    detector = MTCNN(min_face_size=60)
    boxes = [found for part in np.split(photos, 3) for found in detector.detect(part)[0]]
    assert np.mean([found is not None for found in boxes]) >= 0.95
    middles = np.array([(found[0, :2] + found[0, 2:]) / 2 for found in boxes if found is not None])
    assert (np.abs(middles - (192, 256)).mean(0) < 40).all()
