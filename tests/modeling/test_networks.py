"""Networks start from what the section asks for; weights that cannot be had are one line."""
import pytest
import timm
import torch
from safetensors.torch import save_file

from stages.core.errors import UserError
from stages.core.model_params import YEAR_LOSSES
from stages.modeling.age_distribution import YEARS
from stages.modeling.multitask import class_logs
from stages.modeling.networks import Normalize, make_network, start_network
from tests.modeling.families import FAMILIES, height_of
from tests.sections import section

TINY = "test_efficientnet"
SIZE = (32, 32)


@pytest.fixture
def weights(tmp_path):
    """A file of weights with a head of 7 classes."""
    torch.manual_seed(5)
    network = make_network(TINY, 7, SIZE)
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    return tmp_path / "w.safetensors", network.state_dict()


def test_local_weights_are_loaded_all_but_the_head(weights):
    file, state = weights
    network = start_network("age", section(backbone=TINY, weights=str(file)), SIZE)
    for key, value in network.state_dict().items():
        assert key.startswith("classifier.") or torch.equal(value, state[key]), key
    assert network.state_dict()["classifier.weight"].shape[0] == 3


def test_at_first_every_class_is_equally_likely():
    network = start_network("age", section(backbone=TINY), SIZE).eval()
    chances = network(torch.randn(4, 3, *SIZE)).softmax(1)
    torch.testing.assert_close(chances, torch.full((4, 3), 1 / 3))


def test_a_head_of_two_layers_has_a_hidden_one_and_starts_undecided():
    network = start_network("age", section(backbone=TINY, head_layers=2), SIZE).eval()
    one, _, two = network.get_classifier()
    assert (one.in_features, one.out_features, two.out_features) == (network.num_features, network.num_features // 2, 3)
    chances = network(torch.randn(4, 3, *SIZE)).softmax(1)
    torch.testing.assert_close(chances, torch.full((4, 3), 1 / 3))
    assert one.weight.abs().sum() > 0  # or nothing behind it would learn


@pytest.mark.parametrize("loss", YEAR_LOSSES)
def test_a_network_that_learns_years_tells_the_three_groups_and_starts_with_every_year_equally_likely(loss):
    network = start_network("age", section(backbone=TINY, loss=loss), SIZE)
    logits = network.train()(torch.randn(4, 3, *SIZE))
    years = as_years(logits) if loss == "ordinal" else logits.softmax(1)
    torch.testing.assert_close(years, torch.full((4, YEARS), 1 / YEARS))
    groups = network.eval()(torch.randn(4, 3, *SIZE)).softmax(1)
    torch.testing.assert_close(groups, torch.tensor([[30, 30, YEARS - 60]] * 4) / YEARS)


def test_a_joint_network_that_learns_years_has_the_other_heads_beside_them_and_tells_groups():
    network = start_network("joint", section("joint", backbone=TINY, attribute_losses={"age": "mean_variance"}), SIZE)
    photos = torch.randn(4, 3, *SIZE)
    assert network.train()(photos).shape == (4, 3 + 2 + YEARS)
    chances = class_logs(network.eval()(photos), (3, 2, 3)).exp()
    torch.testing.assert_close(chances, torch.tensor([[30, 30, YEARS - 60] * 6] * 4) / YEARS / 6)


def test_another_head_for_the_years_of_a_joint_model_where_the_backbone_has_none_names_both():
    p = section("joint", backbone="deit_tiny_distilled_patch16_224", attribute_losses={"age": "year_distribution"})
    with pytest.raises(UserError, match="joint.backbone: 'deit.* joint.attribute_losses: {'age': 'year_distribution'}"):
        start_network("joint", p, (224, 224))


def as_years(ranks: torch.Tensor) -> torch.Tensor:
    """Probabilities (B, YEARS) of the years from logits (B, OLDEST) of P(age >= k), k from 1."""
    sure, never = torch.ones(len(ranks), 1), torch.zeros(len(ranks), 1)
    return -torch.cat([sure, ranks.sigmoid(), never], 1).diff(dim=1)


def test_arcface_has_a_head_of_cosines():
    network = start_network("age", section(backbone=TINY, loss="arcface", arcface_scale=7), SIZE).eval()
    logits = network(torch.randn(4, 3, *SIZE))
    assert logits.abs().max() <= 7
    assert logits.abs().sum() > 0


@pytest.mark.parametrize("changes, named", [({"head_layers": 2}, "age.head_layers: 2"),
                                            ({"loss": "arcface"}, "age.loss: 'arcface'"),
                                            *(({"loss": loss}, f"age.loss: '{loss}'") for loss in YEAR_LOSSES)])
def test_another_head_where_the_backbone_has_none_names_both(changes, named):
    with pytest.raises(UserError, match=f"age.backbone: 'deit_tiny_distilled_patch16_224' .*{named}"):
        start_network("age", section(backbone="deit_tiny_distilled_patch16_224", **changes), (224, 224))


@pytest.mark.parametrize("write, named", [
    (None, "is no file"),
    (lambda file: file.write_text("no weights"), "holds no weights"),
    (lambda file: torch.save(make_network(TINY, 7, SIZE), file.with_suffix(".pt")), "holds no weights"),
    (lambda file: torch.save([1], file.with_suffix(".pt")), "holds no weights"),
    (lambda file: torch.save({"conv_stem.weight": 1}, file.with_suffix(".pt")), "does not fit age.backbone"),
    (lambda file: save_file({"a": torch.zeros(1)}, file), "does not fit age.backbone"),
])
def test_a_wrong_weights_file_is_one_line(tmp_path, write, named):
    file = tmp_path / "w.safetensors"
    if write:
        write(file)
        [file] = tmp_path.iterdir()
    with pytest.raises(UserError, match=named) as error:
        start_network("age", section(backbone=TINY, weights=str(file)), SIZE)
    assert "params.yaml: age.weights" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("backbone, file", [
    ("tf_efficientnetv2_b0", "a local file if you have one"),
    ("tf_efficientnet_lite1", "models/pretrained/tf_efficientnet_lite1.safetensors, which `make weights` brings"),
    ("tf_efficientnet_lite0.in1k", "models/pretrained/tf_efficientnet_lite0.safetensors, which `make weights` brings"),
])
def test_pretrained_weights_without_a_network_name_what_to_set_and_what_make_weights_brings(monkeypatch, tmp_path, backbone,
                                                                                            file):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UserError) as error:
        start_network("age", section(backbone=backbone, pretrained=True), SIZE)
    assert f"set training.pretrained (or age's own) to false, and training.weights to {file}" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_network_made_for_one_size_takes_the_size_asked_for():
    network = make_network("test_vit", 2, (64, 48)).eval()
    assert network(torch.zeros(1, 3, 64, 48)).shape == (1, 2)


@pytest.mark.parametrize("backbone", ["test_vit", "tf_efficientnetv2_b0.no_such_tag"])
def test_a_backbone_that_cannot_be_made_or_fed_is_one_line(backbone):
    with pytest.raises(UserError, match=r"age.backbone: .* does not take photos of 33x32 pixels") as error:
        start_network("age", section(backbone=backbone), (33, 32))
    assert "\n" not in str(error.value)


def test_normalize_gives_the_network_its_own_mean_and_spread():
    network = make_network(TINY, 3, SIZE)
    mean, std = (torch.tensor(network.default_cfg[key]) for key in ("mean", "std"))
    crops = torch.randint(0, 256, (2, 5, 4, 3), dtype=torch.uint8)
    out = Normalize(network)(crops)
    assert out.shape == (2, 3, 5, 4)
    assert out.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(out.permute(0, 2, 3, 1), (crops / 255 - mean) / std)


def test_weights_without_the_counters_of_batch_normalisation_are_taken(weights):
    """Older files and converted ones lack them."""
    file, state = weights
    save_file({key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}, file)
    network = start_network("age", section(backbone=TINY, weights=str(file)), SIZE)
    assert torch.equal(network.conv_stem.weight, state["conv_stem.weight"])


def test_drop_rates_reach_the_network_while_it_trains_alone():
    p = section(backbone=TINY, drop_rate=0.5, drop_path_rate=0.3)
    network = start_network("age", p, SIZE)
    torch.nn.init.normal_(network.get_classifier().weight)
    assert network.drop_rate == 0.5
    assert max(getattr(layer, "drop_prob", 0) or 0 for layer in network.modules()) > 0
    photo = torch.rand(2, 3, 32, 32)
    network.eval()
    assert torch.equal(network(photo), network(photo))


def test_a_backbone_without_stochastic_depth_says_so():
    with pytest.raises(UserError, match=r"age.drop_path_rate: 0.3: densenet121 does not take all of these; set drop_path"):
        start_network("age", section(backbone="densenet121", drop_path_rate=0.3), SIZE)


def test_layer_decay_needs_a_known_order_of_layers(monkeypatch):
    p = section(backbone=TINY, layer_decay=0.5)
    network = start_network("age", p, SIZE)
    monkeypatch.delattr(type(network), "group_matcher")
    with pytest.raises(UserError, match=r"age.layer_decay: 0.5 needs the order of the layers, which timm does not know for"):
        start_network("age", p, SIZE)


HEADS = {"one": {}, "two": {"head_layers": 2}, "cosine": {"loss": "arcface"}, "years": {"loss": "year_distribution"}}


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("backbone", [TINY, "test_resnet", "test_convnext", "test_vit"])  # their heads have four names
@pytest.mark.parametrize("safe", [True, False])
def test_training_goes_on_from_what_timm_saved_whatever_the_head_was(tmp_path, backbone, head, safe):
    size = (64, 64)
    torch.manual_seed(1)
    before = start_network("age", section(backbone=backbone, **HEADS[head]), size).eval()
    timm.models.save_for_hf(before, tmp_path, safe_serialization=safe)
    torch.manual_seed(2)
    file = str(tmp_path / ("model.safetensors" if safe else "pytorch_model.bin"))
    after = start_network("mask", section("mask", backbone=backbone, weights=file), size).eval()
    photos = torch.randn(2, 3, *size)
    assert torch.equal(after.forward_features(photos), before.forward_features(photos))
    assert all(torch.equal(value, before.state_dict()[key]) for key, value in after.state_dict().items()
               if not key.startswith(after.default_cfg["classifier"]))


@pytest.mark.slow
@pytest.mark.parametrize("backbone", FAMILIES)
def test_every_family_of_networks_takes_each_head_or_says_why_not(backbone):
    size = (height_of(backbone),) * 2
    for head, changes in HEADS.items():
        try:
            network = start_network("age", section(backbone=backbone, **changes), size).eval()
        except UserError as error:
            assert head != "one" and "does not end in one fully connected layer, so age." in str(error)
        else:
            assert network(torch.randn(2, 3, *size)).shape == (2, 3)


@pytest.mark.parametrize("wrap", [
    lambda state: {"state_dict": state, "epoch": 3},
    lambda state: {"model": state},
    lambda state: {f"module.{key}": value for key, value in state.items()},
    lambda state: {"state_dict": {f"module._orig_mod.{key}": value for key, value in state.items()}},
    lambda state: {"state_dict": {key: value + 1 for key, value in state.items()}, "state_dict_ema": state},
], ids=["state_dict", "model", "parallel", "compiled", "average"])
def test_a_checkpoint_of_a_training_is_as_good_as_its_weights_alone(weights, tmp_path, wrap):
    """And the moving average counts where there is one, as in timm."""
    _, state = weights
    torch.save(wrap(state), tmp_path / "checkpoint.pth.tar")
    network = start_network("age", section(backbone=TINY, weights=str(tmp_path / "checkpoint.pth.tar")), SIZE)
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items()
               if not key.startswith("classifier."))


@pytest.mark.parametrize("backbone", ["mobilenetv4_conv_small", "lcnet_050"])  # end in timm's own kind of nn.Linear
@pytest.mark.parametrize("changes, outputs", [({"head_layers": 2}, 3), ({"loss": "arcface"}, 3), ({"loss": "ordinal"}, 3)])
def test_a_layer_that_is_a_kind_of_fully_connected_one_can_be_replaced(backbone, changes, outputs):
    network = start_network("age", section(backbone=backbone, **changes), SIZE)
    assert network.eval()(torch.randn(2, 3, *SIZE)).shape == (2, outputs)
