"""One epoch after the other makes the loss fall, by every optimizer and schedule; a flipped view is the mirrored photo."""
import numpy as np
import pytest
import torch

from stages.core.face_store import Faces, write_faces
from stages.core.model_params import YEAR_LOSSES, Model
from stages.modeling.checkpoints import Resume
from stages.modeling.dataloader import Crops, loader
from stages.modeling.losses import make_loss
from stages.modeling.networks import start_network
from stages.modeling.trainer import Trainer, predict_logits
from tests.sections import section

CPU, SIZE = torch.device("cpu"), (32, 32)


@pytest.fixture
def faces(tmp_path):
    """40 crops of noise, the second half of them brighter on the left."""
    pixels = np.random.default_rng(0).integers(0, 120, (40, *SIZE, 3)).astype(np.uint8)
    pixels[20:, :, :16] += 100
    write_faces(tmp_path, [str(i) for i in range(40)], iter(pixels), SIZE)
    return Faces(tmp_path)


def allowed(field: str) -> tuple:
    return Model.model_fields[field].annotation.__args__


@pytest.mark.parametrize("optimizer", allowed("optimizer"))
def test_every_optimizer_makes_the_loss_fall(faces, optimizer):
    p = section(backbone="test_efficientnet", optimizer=optimizer, lr=0.01, schedule="none", weight_decay=0)
    torch.manual_seed(0)
    trainer = Trainer(start_network("age", p, SIZE), p, make_loss(p, None), 5, CPU)
    batches = loader(Crops(faces, np.arange(40), SIZE), 8, 0, CPU, seed=1)
    target = (torch.arange(40) >= 20).long()
    losses = [trainer.train_epoch(batches, target, "").loss for _ in range(4)]
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("loss", YEAR_LOSSES)
def test_a_network_that_learns_years_learns_in_its_head_and_behind_it(faces, loss):
    p = section(backbone="test_efficientnet", optimizer="adamw", lr=0.01, schedule="none", weight_decay=0, loss=loss)
    torch.manual_seed(0)
    target = torch.where(torch.arange(40) >= 20, 60, 25)
    trainer = Trainer(start_network("age", p, SIZE), p, make_loss(p, target), 5, CPU)
    before = {name: weight.clone() for name, weight in trainer.network.named_parameters()}
    batches = loader(Crops(faces, np.arange(40), SIZE), 8, 0, CPU, seed=1)
    losses = [trainer.train_epoch(batches, target, "").loss for _ in range(4)]
    assert losses[-1] < 0.9 * losses[0]
    still = [name for name, weight in trainer.network.named_parameters() if torch.equal(weight, before[name])]
    assert not still
    chances = trainer.network.eval()(trainer.normalize(torch.from_numpy(np.stack([faces[0], faces[39]])))).softmax(1)
    assert chances[0, 0] > chances[1, 0]  # the younger half is told from the older
    assert chances[1, 2] > chances[0, 2]


@pytest.mark.slow
def test_a_compiled_network_learns_the_same_and_is_kept_under_the_same_names(faces):
    p = section(backbone="test_efficientnet", lr=0.01, schedule="none")
    target, learnt = (torch.arange(40) >= 20).long(), []
    for compiled in (False, True):
        torch.manual_seed(0)
        trainer = Trainer(start_network("age", p, SIZE), p, make_loss(p, None), 5, CPU, compiled=compiled)
        trainer.train_epoch(loader(Crops(faces, np.arange(40), SIZE), 8, 0, CPU, seed=1), target, "")
        learnt.append(trainer.best_network.state_dict())
    assert learnt[0].keys() == learnt[1].keys()
    for name, weight in learnt[0].items():
        torch.testing.assert_close(learnt[1][name], weight, rtol=0.01, atol=0.01)  # it adds in another order


def test_a_flipped_view_is_the_mirrored_photo(faces, tmp_path):
    write_faces(tmp_path / "m", faces.photos, (faces[row][:, ::-1] for row in range(len(faces))), SIZE)
    p = section(backbone="test_efficientnet")
    network = start_network("age", p, SIZE)
    torch.nn.init.normal_(network.get_classifier().weight)
    views = [predict_logits(network, loader(Crops(f, np.arange(40), SIZE), 16, 0, CPU), CPU, flip)
             for f, flip in ((faces, True), (Faces(tmp_path / "m"), False), (faces, False))]
    torch.testing.assert_close(views[0], views[1])
    assert not torch.allclose(views[0], views[2])


def test_a_trainer_that_is_saved_and_loaded_goes_on_as_if_nothing_had_happened(faces, tmp_path):
    p = section(backbone="test_efficientnet", schedule="cosine", epochs=3, warmup=1, ema=0.9)
    batches, target = loader(Crops(faces, np.arange(40), SIZE), 8, 0, CPU, seed=1), torch.zeros(40, dtype=torch.long)

    def trainer():
        torch.manual_seed(0)
        return Trainer(start_network("age", p, SIZE), p, make_loss(p, None), 5, CPU)

    one, two = trainer(), trainer()
    one.train_epoch(batches, target, "")
    resume = Resume(tmp_path / "r.pt", "k")
    resume.save(trainer=one.state())
    resume.wait()
    two.load(Resume(tmp_path / "r.pt", "k").load()["trainer"])
    losses = []
    for each in (one, two):
        torch.manual_seed(1)
        batches.sampler.epoch = 1
        losses.append(each.train_epoch(batches, target, "", 1).loss)
    assert losses[0] == losses[1]
    for a, b in ((one.network, two.network), (one.best_network, two.best_network)):
        assert all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values()))


def trained(faces, steps=1, mixing=None, target=None, **changes):
    """A trainer before and after some epochs on one batch of 40: (weights before, trainer, what the epochs came to)."""
    p = section(**{"backbone": "test_efficientnet", "optimizer": "sgd", "lr": 0.1, "schedule": "none", "weight_decay": 0,
                   "epochs": 9} | changes)
    torch.manual_seed(0)
    trainer = Trainer(start_network("age", p, SIZE), p, make_loss(p, None), 1, CPU, mixing)
    before = {name: value.clone() for name, value in trainer.network.state_dict().items()}
    batches = loader(Crops(faces, np.arange(40), SIZE), 40, 0, CPU, seed=1)
    target = torch.arange(40) % 3 if target is None else target
    return before, trainer, [trainer.train_epoch(batches, target, "", i) for i in range(steps)]


def test_the_moving_average_follows_its_formula_and_is_what_is_kept(faces):
    _, first, _ = trained(faces, ema=0.8)
    _, trainer, _ = trained(faces, ema=0.8, steps=2)
    decay = 1 - 2 ** (-2 / 3)  # timm's warm-up: 1 - (1 + t) ** -2/3, up to 0.8
    for name, now in trainer.network.state_dict().items():
        if now.is_floating_point():
            want = decay * first.network.state_dict()[name] + (1 - decay) * now
            torch.testing.assert_close(trainer.best_network.state_dict()[name], want)
    assert trained(faces)[1].best_network is not trainer.best_network
    plain = trained(faces)[1]
    assert plain.best_network is plain.network


def test_the_gradient_is_no_longer_than_its_limit(faces):
    def moved(**changes):
        before, trainer, _ = trained(faces, **changes)
        now = dict(trainer.network.named_parameters())
        return torch.cat([(now[name] - before[name]).flatten() for name in now]).norm().item()
    free, clipped = moved(), moved(clip_grad=0.001)
    assert clipped == pytest.approx(0.1 * 0.001 * 1.9, rel=0.01)  # lr x limit, and Nesterov's first step at momentum .9
    assert free > 2 * clipped


def test_the_head_alone_learns_in_the_first_epochs_and_then_all(faces):
    before, trainer, _ = trained(faces, steps=2, freeze_epochs=2)
    head = trainer.network.default_cfg["classifier"]
    moved = {name for name, value in trainer.network.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {f"{head}.weight", f"{head}.bias"}
    _, trainer, _ = trained(faces, steps=3, freeze_epochs=2)
    assert not torch.equal(trainer.network.conv_stem.weight, before["conv_stem.weight"])


def test_mixed_labels_reach_the_loss_and_mixed_photos_the_network(faces):
    class Doubled:
        def __call__(self, pixels, target, position, step):
            seen.append((tuple(target.shape), float(target.sum()), step))
            return pixels, target.roll(1, 1)

    seen = []
    _, _, [mixed] = trained(faces, mixing=Doubled())
    _, _, [rolled] = trained(faces, target=(torch.arange(40) + 1) % 3)
    assert seen == [((40, 3), 40.0, 0)]
    assert mixed.loss == pytest.approx(rolled.loss)


def test_a_loss_that_is_no_number_is_reported_with_its_step(faces):
    assert [e.diverged_at for e in trained(faces, steps=2)[2]] == [None, None]
    p = section(backbone="test_efficientnet", schedule="none")
    trainer = Trainer(start_network("age", p, SIZE), p, make_loss(p, None), 5, CPU)
    losses = iter([1.0, 2.0, float("nan"), 1.0, 1.0])
    trainer.backward, trainer.update = lambda *_: torch.tensor(next(losses)), lambda _: None
    batches = loader(Crops(faces, np.arange(40), SIZE), 8, 0, CPU, seed=1)
    assert trainer.train_epoch(batches, torch.zeros(40, dtype=torch.long), "").diverged_at == 3


def test_the_moving_average_forgets_the_random_start(faces):
    _, trainer, _ = trained(faces, ema=0.99)
    for name, now in trainer.network.state_dict().items():
        torch.testing.assert_close(trainer.best_network.state_dict()[name], now)  # after one step it is the network


def test_batches_that_make_one_step_together_move_the_weights_as_one_large_batch(faces):
    def weights(batch, accumulate):
        p = section(backbone="test_vit", optimizer="sgd", lr=0.1, schedule="none", weight_decay=0, clip_grad=0,
                    grad_accum_steps=accumulate)  # without batch normalisation, which sees one batch at a time
        torch.manual_seed(0)
        batches = loader(Crops(faces, np.arange(40), SIZE), batch, 0, CPU, seed=1)
        trainer = Trainer(start_network("age", p, SIZE), p, make_loss(p, None), len(batches), CPU)
        trainer.train_epoch(batches, torch.arange(40) % 3, "")
        return torch.cat([weight.flatten() for weight in trainer.network.parameters()])
    torch.testing.assert_close(weights(10, 4), weights(40, 1))
    torch.testing.assert_close(weights(10, 9), weights(40, 1))  # an epoch's last step has the batches that are left
    assert not torch.allclose(weights(10, 1), weights(40, 1))


def test_the_schedule_counts_steps_and_not_batches(faces):
    p = section(backbone="test_efficientnet", schedule="cosine", epochs=1, grad_accum_steps=2)
    batches = loader(Crops(faces, np.arange(40), SIZE), 8, 0, CPU, seed=1)  # 5 batches, 3 steps
    trainer = Trainer(start_network("age", p, SIZE), p, make_loss(p, None), len(batches), CPU)
    trainer.train_epoch(batches, torch.arange(40) % 3, "")
    assert trainer.optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-9)


def test_the_moving_average_counts_steps_and_not_batches(faces):
    p = section(backbone="test_efficientnet", ema=0.9, epochs=2, grad_accum_steps=2)
    batches = loader(Crops(faces, np.arange(40), SIZE), 8, 0, CPU, seed=1)
    trainer, seen = Trainer(start_network("age", p, SIZE), p, make_loss(p, None), len(batches), CPU), []
    trainer.ema.update = lambda network, step: seen.append(step)
    for epoch in range(2):
        trainer.train_epoch(batches, torch.arange(40) % 3, "", epoch)
    assert seen == [1, 2, 3, 4, 5, 6]
