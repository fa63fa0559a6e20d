"""Overrides by recipes and by hand: the later count more, and a value of `training` is one of every model."""
import copy

import pytest

from stages.core.errors import UserError
from stages.core.params import with_training
from tests.sections import SHIPPED
from tools.shared.overrides import apply_overrides, committed, merge, settings_of


def test_a_later_value_of_training_counts_more_than_what_was_said_of_one_model():
    assert merge({"joint.backbone": "b4", "joint.lr": 1, "split.seed": 1}, {"training.backbone": "b0", "training.seed": 7}) == {
        "joint.lr": 1, "split.seed": 1, "training.backbone": "b0", "training.seed": 7}
    assert merge({"training.backbone": "b0"}, {"joint.backbone": "b4"}) == {"training.backbone": "b0", "joint.backbone": "b4"}


def test_a_model_may_have_a_value_of_training_for_itself():
    values = with_training(apply_overrides({"age.ema": 0.9}, copy.deepcopy(SHIPPED), {}))
    assert (values["age"]["ema"], values["mask"]["ema"]) == (0.9, 0)


def test_a_value_of_training_that_would_change_nothing_is_refused():
    params = SHIPPED | {"age": SHIPPED["age"] | {"ema": 0.5}}
    with pytest.raises(UserError, match=r"^r: training.ema: age in params.yaml has its own ema, which counts; set that$"):
        apply_overrides({"training.ema": 0.9}, copy.deepcopy(params), {"training.ema": "r"})
    both = {"training.ema": 0.9, "age.ema": 0.9}
    assert apply_overrides(both, copy.deepcopy(params), dict.fromkeys(both, "r"))["age"]["ema"] == 0.9


@pytest.mark.parametrize("override, word", [
    ({"age.loss": "focal"}, 'age.loss="focal"'), ({"training.ema": 0.9}, "training.ema=0.9"),
    ({"age.ema": 0.9}, "++age.ema=0.9"), ({"combine.weights.age": 2}, "++combine.weights.age=2"),
])
def test_dvc_is_told_to_add_what_params_yaml_does_not_hold_yet(override, word):
    assert settings_of(override, SHIPPED) == ["-S", word]


def test_an_experiment_needs_a_commit(here):
    with pytest.raises(UserError, match=r"^params.yaml: no commit has it \(fatal: .*\); an experiment starts from a commit$"):
        committed()
