"""Only who was not seen in training is predicted, with the views asked for averaged."""
import pandas as pd
import pytest
import torch

from stages.core.errors import UserError
from stages.core.face_store import Faces
from stages.core.params import read_params
from stages.modeling.checkpoints import load_model
from stages.modeling.dataloader import Crops, loader
from stages.modeling.networks import make_network
from stages.modeling.trainer import predict_logits
from stages.predict import folder_of, probabilities


def predictions(project, model="age", fold=0):
    return pd.read_parquet(project.root / f"data/predictions/{model}/{fold}.parquet").set_index("photo")


def test_the_held_out_fold_and_the_eval_part_are_predicted_and_nobody_else(ran):
    photos = pd.read_csv(ran.root / "data/photos.csv", dtype=str, keep_default_na=False)
    folds = pd.read_csv(ran.root / "data/folds.csv", dtype=str)
    unseen = photos.person.isin(folds.person[folds.fold == "0"]) | (photos.part == "eval")
    assert set(predictions(ran).index) == set(photos.photo[unseen])


def test_a_network_whose_answer_is_no_number_is_named(ran, monkeypatch):
    monkeypatch.chdir(ran.root)
    faces, p = Faces(ran.root / "data/faces"), read_params()
    monkeypatch.setattr("stages.predict.predict_logits", lambda *_: torch.full((2, 3), float("nan")))
    with pytest.raises(UserError, match=f"^models/age/0: the probabilities of 2 photos, such as {faces.photos[0]}, are NaN"):
        probabilities("age", folder_of("age", 0), faces, [0, 1], p, torch.device("cpu"))


@pytest.mark.parametrize("views, flips", [("none", [False]), ("flip", [False, True])])
def test_probabilities_are_the_mean_over_the_views(own, views, flips):
    own.set(predict__age__views=views)
    done = own.python("stages.predict", "age", "0")
    assert done.returncode == 0, done.stderr
    got = predictions(own)
    state, settings = load_model(own.root / "models/age/0")
    faces = Faces(own.root / "data/faces")
    rows = [faces.photos.index(photo) for photo in got.index]
    network = make_network(settings["backbone"], 3, (32, 32))
    network.load_state_dict(state)
    batches = loader(Crops(faces, rows, (32, 32)), 8, 0, torch.device("cpu"))
    want = sum(predict_logits(network, batches, torch.device("cpu"), flip).softmax(1) for flip in flips) / len(flips)
    assert got.to_numpy() == pytest.approx(want.numpy(), abs=1e-4)


def test_nobody_to_predict_is_a_table_without_rows(ran, monkeypatch):
    monkeypatch.chdir(ran.root)
    p = read_params()
    table = probabilities("age", folder_of("age", 0), Faces("data/faces"), [], p, torch.device("cpu"))
    assert list(table.columns) == list(predictions(ran).reset_index().columns)
    assert len(table) == 0


def test_random_views_are_averaged_with_the_photo_as_it_is(own):
    def run(**changes):
        own.set(**changes)
        done = own.python("stages.predict", "age", "0")
        assert done.returncode == 0, done.stderr
        return predictions(own).to_numpy()

    plain = run(predict__age__views="none")
    few, many = (run(predict__age__views="random", predict__age__random_views=n) for n in (1, 3))
    again = run(predict__age__views="random", predict__age__random_views=3)
    assert many == pytest.approx(again, abs=0)
    assert abs(few - plain).max() > 0
    assert abs(many - few).max() > 0
    one_view = 2 * few - plain  # the mean of two is half of each
    assert one_view.sum(1) == pytest.approx(1, abs=1e-4)
    assert one_view.min() > -1e-4
