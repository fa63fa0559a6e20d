"""Who is learnt from and who is held out; how the learners are drawn, mixed and augmented."""
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch

from stages.core.classes import CONTEST
from stages.core.errors import UserError
from stages.core.face_store import Faces
from stages.core.model_params import YEAR_LOSSES
from stages.modeling.datamodule import LabelledCrops, classes_to_balance, loaders, make_mixing, read_datasets, training_targets
from stages.modeling.multitask import split_target
from tests.sections import section

CPU = torch.device("cpu")


@pytest.fixture
def train_set():
    """60 photos of people of three cells, most of them young women."""
    return LabelledCrops(np.arange(60), torch.repeat_interleave(torch.tensor([0, 1, 2]), torch.tensor([40, 10, 10])),
                         np.repeat(["female", "male"], [40, 20]), np.repeat([25, 35, 60], [40, 10, 10]),
                         np.repeat([0, 1, 2], [40, 10, 10]))


def test_a_part_knows_its_cells(train_set):
    assert [len(set(cells)) for cells in np.split(train_set.cells(), [40, 50])] == [1, 1, 1]
    assert len(set(train_set.cells())) == 3


@pytest.mark.parametrize("cells, chosen", [([], None), ([["male", 30, 39]], range(40, 50)), ([["any", 60, 120]], range(50, 60)),
                                           ([["female", 0, 120], ["male", 60, 60]], [*range(40), *range(50, 60)])])
def test_only_the_chosen_cells_are_mixed(train_set, cells, chosen):
    mixing = make_mixing(section(mixing="mixup", mixing_cells=cells), train_set)
    assert (mixing.chosen is None) if chosen is None else mixing.chosen.nonzero().flatten().tolist() == list(chosen)


def test_mixing_is_what_the_section_asks_for(train_set):
    assert make_mixing(section(mixing="none"), train_set) is None
    mixing = make_mixing(section(mixing="cutmix", mixing_share=0.3, mixing_alpha=2, mixing_partners="other",
                                 mixing_within="gender", seed=5), train_set)
    assert (mixing.kind, mixing.share, mixing.alpha, mixing.partners, mixing.seed) == ("cutmix", 0.3, 2, "other", 5)
    assert len(set(mixing.groups[:40].tolist())) == len(set(mixing.groups[40:].tolist())) == 1
    assert mixing.groups[0] != mixing.groups[-1]


@pytest.mark.parametrize("sampler, shares", [("none", [40, 10, 10]), ("class", [20, 20, 20]), ("cell", [20, 20, 20])])
def test_a_sampler_draws_what_it_is_named_after_evenly(train_set, ran, sampler, shares):
    faces = Faces(ran.root / "data/faces")
    train_loader, _ = loaders(train_set, train_set, faces, section(sampler=sampler, augment=[], batch=2), (32, 32), CPU, 0)
    counts = np.zeros(3)
    for epoch in range(40):
        train_loader.sampler.epoch = epoch
        counts += np.bincount(train_set.target[[position for position, *_ in train_loader.sampler]], minlength=3) / 40
    assert counts == pytest.approx(shares, abs=2)


@pytest.mark.parametrize("loss", YEAR_LOSSES)
def test_the_classes_that_a_sampler_draws_evenly_are_age_groups_where_years_are_learnt(ran, loss):
    faces, years = Faces(ran.root / "data/faces"), np.repeat([20, 22, 24, 60], [20, 10, 10, 10])
    people = LabelledCrops(np.arange(50), torch.from_numpy(years), np.full(50, "male"), years, CONTEST.age_group(years))
    train_loader, _ = loaders(people, people, faces, section(sampler="class", augment=[], batch=2, loss=loss),
                              (32, 32), CPU, 0)
    draws = train_loader.sampler
    drawn = np.concatenate([years[[position for position, *_ in draws]] for draws.epoch in range(40)])
    assert (drawn == 60).mean() == pytest.approx(0.5, abs=0.05)
    assert (drawn == 20).mean() == pytest.approx(0.25, abs=0.05)


def test_held_out_photos_are_augmented_by_what_is_always_done_alone(train_set, ran):
    faces = Faces(ran.root / "data/faces")
    _, plain = loaders(train_set, train_set, faces, section(augment=["light", "noise"]), (32, 32), CPU, 0)
    assert plain.dataset.augment is None
    train_loader, grey = loaders(train_set, train_set, faces, section(augment=["light", "grey"]), (32, 32), CPU, 0)
    for batches in (train_loader, grey):
        crops, _ = next(iter(batches))
        assert torch.equal(crops[..., 0], crops[..., 1])


def test_moved_borders_and_dropped_ages_change_what_is_learnt_and_never_what_is_scored(ran, monkeypatch):
    monkeypatch.chdir(ran.root)
    faces = Faces(ran.root / "data/faces")
    plain = read_datasets(faces, "age", 0, section())
    moved = read_datasets(faces, "age", 0, section(border_low=40, border_high=55, drop=[[20, 25]]))
    assert len(moved[0].rows) < len(plain[0].rows)
    kept = np.isin(plain[0].rows, moved[0].rows)
    assert (plain[0].target[kept] != moved[0].target).any()
    assert (plain[1].rows == moved[1].rows).all()
    assert (plain[1].target == moved[1].target).all()


def test_a_refit_sees_everyone_and_holds_nobody_out(ran, monkeypatch):
    monkeypatch.chdir(ran.root)
    faces = Faces(ran.root / "data/faces")
    folds = [read_datasets(faces, "age", fold, section()) for fold in (0, 1)]
    train_set, val_set = read_datasets(faces, "age", None, section())
    assert sorted(train_set.rows) == sorted(np.concatenate([held_out.rows for _, held_out in folds]))
    assert len(val_set.rows) == 0


def test_pseudo_labels_are_learnt_and_never_scored(own, monkeypatch):
    photos = pd.read_csv(own.root / "data/photos.csv", dtype=str, keep_default_na=False)
    to_label = photos[photos.part == "eval"].photo.iloc[:2]
    plain = read_in(own, monkeypatch)
    pd.DataFrame({"photo": to_label, "label": ["60plus", "under30"]}).to_csv(own.root / "data/extra/age.csv", index=False)
    train_set, val_set = read_in(own, monkeypatch)
    rows = [Faces(own.root / "data/faces").photos.index(photo) for photo in to_label]
    assert list(train_set.rows) == [*plain[0].rows, *rows]
    assert train_set.target.tolist() == [*plain[0].target.tolist(), 2, 0]
    assert list(val_set.rows) == list(plain[1].rows)


def test_a_pseudo_label_of_somebody_who_is_held_out_is_not_learnt(own, monkeypatch):
    photos = pd.read_csv(own.root / "data/photos.csv", dtype=str, keep_default_na=False)
    folds = pd.read_csv(own.root / "data/folds.csv", dtype=str)
    to_label = photos.index[photos.part == "eval"][:2]
    photos.loc[to_label, "person"] = [folds.person[folds.fold == fold].iloc[0] for fold in ("0", "1")]
    photos.to_csv(own.root / "data/photos.csv", index=False)
    named = photos.photo[to_label].tolist()
    pd.DataFrame({"photo": named, "label": "60plus"}).to_csv(own.root / "data/extra/age.csv", index=False)
    train_set, _ = read_in(own, monkeypatch)
    names = Faces(own.root / "data/faces").photos
    assert [name in {names[row] for row in train_set.rows} for name in named] == [False, True]


def read_in(project, monkeypatch):
    monkeypatch.chdir(project.root)
    return read_datasets(Faces(project.root / "data/faces"), "age", 0, section())


AGES = pd.DataFrame({"age": ["20", "29", "30", "57", "58", "59", "60", "75"]})
JOINT = pd.DataFrame({"mask": ["incorrect", "bare"], "gender": ["male", "female"], "age": ["59", "28"]})


def test_without_changes_the_model_learns_what_is_scored():
    target, kept = training_targets(section(), AGES)
    assert target.tolist() == CONTEST.only(["age"]).number(AGES).tolist()
    assert kept.all()


def test_borders_move_the_training_classes():
    target, kept = training_targets(section(border_low=29, border_high=58), AGES)
    assert target.tolist() == [0, 1, 1, 1, 2, 2, 2, 2]
    assert kept.all()


def test_dropped_ranges_leave_training_both_ends_included():
    target, kept = training_targets(section(drop=[[28, 29], [57, 59]]), AGES)
    assert target.tolist() == CONTEST.only(["age"]).number(AGES).tolist()
    assert AGES.age[kept].tolist() == ["20", "30", "60", "75"]


@pytest.mark.parametrize("loss", YEAR_LOSSES)
def test_where_years_are_learnt_the_targets_are_years(loss):
    target, kept = training_targets(section(loss=loss, drop=[[57, 59]]), AGES)
    assert target.tolist() == AGES.age.astype(int).tolist()
    assert AGES.age[~kept].tolist() == ["57", "58", "59"]


def test_a_joint_model_that_learns_years_has_the_years_of_each_mask_and_gender_as_targets():
    p = section("joint", attribute_losses={"age": "year_distribution"}, drop=[[28, 29]])
    target, kept = training_targets(p, JOINT)
    parts = [part.tolist() for part in split_target(torch.from_numpy(target), p.training_heads)]
    assert parts == [[1, 2], [0, 1], [59, 28]]
    assert kept.tolist() == [True, False]


def test_the_classes_to_balance_of_joint_years_are_the_18():
    years, plain = (section("joint", attribute_losses=losses) for losses in ({"age": "year_distribution"}, {}))
    people = pd.DataFrame([*product(CONTEST.values["mask"], CONTEST.values["gender"], AGES.age)], columns=CONTEST.attributes)
    classes = classes_to_balance(years, training_targets(years, people)[0])
    assert classes.tolist() == training_targets(plain, people)[0].tolist() == CONTEST.number(people).tolist()


def test_a_joint_model_has_borders_and_drops_too():
    target, kept = training_targets(section("joint", border_high=58, drop=[[28, 29]]), JOINT)
    assert target.tolist() == [1 * 6 + 0 * 3 + 2, 2 * 6 + 1 * 3 + 0]
    assert kept.tolist() == [True, False]


def test_photos_without_a_label_are_left_out_and_counted(own, monkeypatch, capsys):
    plain = read_in(own, monkeypatch)
    capsys.readouterr()
    labels = pd.read_csv(own.root / "data/labels/age.csv", dtype=str)
    labels.loc[::3, "age"] = ""
    labels.to_csv(own.root / "data/labels/age.csv", index=False)
    partly = read_in(own, monkeypatch)
    unknown = {Faces(own.root / "data/faces").photos.index(photo) for photo in labels.photo[::3]}
    for before, after in zip(plain, partly):
        assert list(after.rows) == [row for row in before.rows if row not in unknown]
        assert after.target.tolist() == [int(t) for row, t in zip(before.rows, before.target) if row not in unknown]
    assert f"age: {len(unknown)} of {len(labels)} photos have no label of age, and are left out" in capsys.readouterr().out


def test_a_model_none_of_whose_labels_is_known_is_named_with_what_to_do(own, monkeypatch):
    labels = pd.read_csv(own.root / "data/labels/age.csv", dtype=str)
    labels.assign(age="").to_csv(own.root / "data/labels/age.csv", index=False)
    with pytest.raises(UserError, match=r"models: no photo has a label that age learns \(age\); take age out of models"):
        read_in(own, monkeypatch)


def test_people_of_unknown_gender_or_age_are_cells_of_their_own(train_set):
    train_set.gender[:5], train_set.group[5:10] = "", -1
    cells = train_set.cells()
    assert [len(set(part)) for part in np.split(cells, [5, 10, 40, 50])] == [1] * 5
    assert len(set(cells)) == 5
    every = np.array([*product(["", "female", "male"], [-1, 0, 1, 2])], dtype=object)
    unlike = LabelledCrops(np.arange(12), torch.zeros(12), every[:, 0], np.full(12, -1), every[:, 1].astype(int))
    assert len(set(unlike.cells())) == 12


@pytest.mark.parametrize("losses", [{}, {"age": "year_distribution"}])
def test_a_joint_model_learns_from_the_photos_that_have_all_labels(partly, monkeypatch, capsys, losses):
    own, labels = partly
    faces, p = Faces(own.root / "data/faces"), section("joint", attribute_losses=losses)
    labels.to_csv(own.root / "data/labels/joint.csv", index=False)
    monkeypatch.chdir(own.root)
    parts = read_datasets(faces, "joint", 0, p)
    whole = labels[2::3].set_index("photo")
    left_out = f"joint: {len(labels) - len(whole)} of {len(labels)} photos have no label of mask or gender or age, and are left"
    assert left_out in capsys.readouterr().out
    assert sorted(np.concatenate([part.rows for part in parts])) == sorted(map(faces.photos.index, whole.index))
    learnt, held_out = (whole.loc[[faces.photos[row] for row in part.rows]] for part in parts)
    assert parts[0].target.tolist() == training_targets(p, learnt)[0].tolist()
    assert parts[1].target.tolist() == CONTEST.number(held_out).tolist()


def test_a_joint_model_without_a_photo_that_has_all_labels_is_named(partly, monkeypatch):
    own, labels = partly
    labels.drop(labels.index[2::3]).to_csv(own.root / "data/labels/joint.csv", index=False)
    monkeypatch.chdir(own.root)
    with pytest.raises(UserError, match=r"no photo has all labels that joint learns \(mask, gender, age\); take joint out of"):
        read_datasets(Faces(own.root / "data/faces"), "joint", 0, section("joint"))


@pytest.fixture
def partly(own):
    """A project, and its labels: a third of the photos lack the mask, and another third the age."""
    labels = pd.concat([pd.read_csv(own.root / f"data/labels/{name}.csv", dtype=str).set_index("photo")[name]
                        for name in CONTEST.attributes], axis=1).reset_index()
    labels.loc[::3, "mask"], labels.loc[1::3, "age"] = "", ""
    pd.DataFrame(columns=["photo", "label"]).to_csv(own.root / "data/extra/joint.csv", index=False)
    return own, labels
