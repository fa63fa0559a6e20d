"""One epoch after the other makes the loss fall, by every optimizer and schedule; a flipped view is the mirrored photo."""
import numpy as np
import pytest
import torch

from stages.lib.batches import Crops, loader
from stages.lib.checkpoints import Resume
from stages.lib.engine import Trainer, make_optimizer, make_schedule, predict_logits
from stages.lib.facefile import Faces, write_faces
from stages.lib.losses import make_loss
from stages.lib.networks import start_network
from stages.lib.params import Model
from tests.test_losses import section

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
    trainer = Trainer(start_network("age", p, 3, SIZE), p, make_loss(p, None), 5, CPU)
    batches = loader(Crops(faces, np.arange(40), SIZE), 8, 0, CPU, seed=1)
    target = (torch.arange(40) >= 20).long()
    losses = [trainer.train_epoch(batches, target, "") for _ in range(4)]
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("schedule, first, last", [("none", 1, 1), ("cosine", 1, 0), ("one_cycle", 1 / 25, 0)])
def test_a_schedule_runs_from_its_first_to_its_last_rate(schedule, first, last):
    p = section(schedule=schedule, lr=0.5, optimizer="sgd")
    optimizer = make_optimizer(torch.nn.Linear(1, 1), p)
    steps = make_schedule(optimizer, p, 20)
    rates = []
    for _ in range(20):
        rates.append(optimizer.param_groups[0]["lr"] / p.lr)
        optimizer.step()
        steps.step()
    assert rates[0] == pytest.approx(first)
    assert rates[-1] == pytest.approx(last, abs=0.03)
    assert max(rates) == pytest.approx(1, abs=0.02)


def test_a_flipped_view_is_the_mirrored_photo(faces, tmp_path):
    write_faces(tmp_path / "m", faces.photos, (crop[:, ::-1] for crop in faces.pixels), SIZE)
    p = section(backbone="test_efficientnet")
    network = start_network("age", p, 3, SIZE)
    torch.nn.init.normal_(network.get_classifier().weight)
    views = [predict_logits(network, loader(Crops(f, np.arange(40), SIZE), 16, 0, CPU), CPU, flip)
             for f, flip in ((faces, True), (Faces(tmp_path / "m"), False), (faces, False))]
    torch.testing.assert_close(views[0], views[1])
    assert not torch.allclose(views[0], views[2])


def test_a_trainer_that_is_saved_and_loaded_goes_on_as_if_nothing_had_happened(faces, tmp_path):
    p = section(backbone="test_efficientnet", schedule="one_cycle", epochs=2)
    batches, target = loader(Crops(faces, np.arange(40), SIZE), 8, 0, CPU, seed=1), torch.zeros(40, dtype=torch.long)

    def trainer():
        torch.manual_seed(0)
        return Trainer(start_network("age", p, 3, SIZE), p, make_loss(p, None), 5, CPU)

    one, two = trainer(), trainer()
    one.train_epoch(batches, target, "")
    Resume(tmp_path / "r.pt", "k").save(trainer=one.state())
    two.load(Resume(tmp_path / "r.pt", "k").load(CPU)["trainer"])
    losses = []
    for each in (one, two):
        torch.manual_seed(1)
        batches.sampler.epoch = 1
        losses.append(each.train_epoch(batches, target, ""))
    assert losses[0] == losses[1]
    assert all(torch.equal(a, b) for a, b in zip(one.network.state_dict().values(), two.network.state_dict().values()))
