"""Mixed photos are what their soft labels say, and who is mixed with whom is as asked."""
import numpy as np
import pytest
import torch
from timm.data.mixup import rand_bbox
from torch.nn.functional import one_hot

from stages.modeling.mixup import Mixing, boxes

KINDS = ["mixup", "cutmix", "half_cutmix"]
B, H, W = 12, 10, 8
PIXELS = torch.rand(B, 3, H, W, generator=torch.Generator().manual_seed(0))
EACH = torch.eye(B)  # a class of its own for every photo, so that a mixed label tells the partner and lambda
POSITION = torch.arange(B)
CLASS = torch.tensor([0] * 6 + [1] * 5 + [2])
GROUP = torch.tensor([0, 1, 1] * 4)


def mix(kind="mixup", share=1.0, alpha=1.0, step=0, pixels=PIXELS, target=EACH, position=POSITION, **more):
    return Mixing(kind, share, alpha, **more)(pixels, target, position, step)


def pairs(share=1.0, steps=200, **more) -> tuple[np.ndarray, np.ndarray]:
    """Photo and partner of all that were mixed: the right half of half_cutmix shows the partner."""
    numbered = POSITION.float().view(-1, 1, 1, 1).expand(B, 3, H, W)
    target = one_hot(CLASS, 3).float()
    partner = np.stack([mix("half_cutmix", share, step=step, pixels=numbered, target=target, **more)[0][:, 0, 0, -1]
                        for step in range(steps)]).astype(int)
    _, photo = np.nonzero(partner != np.arange(B))
    return photo, partner[partner != np.arange(B)]


def lambdas(kind, alpha) -> np.ndarray:
    return np.concatenate([mix(kind, alpha=alpha, step=step)[1].diagonal() for step in range(300)])


@pytest.mark.parametrize("kind", KINDS)
def test_a_label_holds_lambda_of_its_own_and_the_rest_of_one_partner(kind):
    pixels, target = mix(kind)
    torch.testing.assert_close(target.sum(1), torch.ones(B))
    assert ((target > 0).sum(1) == 2).all()
    assert (pixels != PIXELS).flatten(1).any(1).all()


def test_mixups_pixels_are_the_convex_combination_that_the_label_says():
    pixels, target = mix("mixup")
    torch.testing.assert_close(pixels, torch.einsum("ij,jchw->ichw", target, PIXELS))


@pytest.mark.parametrize("kind", ["cutmix", "half_cutmix"])
def test_the_share_of_pixels_from_the_partner_is_its_share_of_the_label(kind):
    for step in range(20):
        pixels, target = mix(kind, step=step)
        partner = (target - target.diagonal().diag()).argmax(1)
        own, theirs = pixels == PIXELS, pixels == PIXELS[partner]
        assert (own | theirs).all()
        torch.testing.assert_close((~own).float().mean((1, 2, 3)), 1 - target.diagonal())


def test_the_part_that_cutmix_cuts_is_one_rectangle():
    cut = (mix("cutmix")[0] != PIXELS).any(1)
    assert torch.equal(cut.sum((1, 2)), cut.any(2).sum(1) * cut.any(1).sum(1))


def test_cutmixs_rectangle_is_of_lambda_and_cut_at_the_border():
    cut = torch.cat([(mix("cutmix", alpha=1e6, step=step)[0] != PIXELS).any(1) for step in range(100)])  # lambda is .5
    high, wide = cut.any(2).sum(1), cut.any(1).sum(1)
    assert (high.min(), high.max()) == (4, 7)  # a side is sqrt(.5) * 10 or 8 whole, and half of that at the border
    assert (wide.min(), wide.max()) == (3, 5)


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_each_photo_of_a_batch_has_its_own_lambda(kind):
    assert len(set(lambdas(kind, alpha=1)[:B])) > B // 2


def test_each_photo_of_a_batch_has_its_own_rectangle():
    cut = (mix("cutmix", alpha=1e6)[0] != PIXELS).any(1).int()
    for first in (cut.amax(2).argmax(1), cut.amax(1).argmax(1)):  # top and left
        assert len(set(first.tolist())) > 2


def test_cutmixs_boxes_are_timms(monkeypatch):
    lam, y, x = np.random.default_rng(0).random((3, 100)) * [[1], [H], [W]]
    y, x = y.astype(int), x.astype(int)
    want = []
    for case in zip(lam, y, x, strict=True):
        centre = iter(case[1:])
        monkeypatch.setattr(np.random, "randint", lambda low, high, size, centre=centre: next(centre))
        want.append(rand_bbox((H, W), case[0]))
    np.testing.assert_array_equal(np.stack(boxes(lam, y, x, H, W), axis=1), want)


def test_cutmixs_boxes_lie_all_over_the_photo():
    cut = torch.stack([mix("cutmix", step=step)[0] != PIXELS for step in range(100)]).float().mean((0, 1, 2))
    assert cut.min() > 0.1
    assert cut.max() < 0.6


def test_half_cutmix_keeps_the_left_half_and_takes_the_partners_right_one():
    pixels, target = mix("half_cutmix")
    partner = (target - target.diagonal().diag()).argmax(1)
    assert torch.equal(pixels[..., :W // 2], PIXELS[..., :W // 2])
    assert torch.equal(pixels[..., W // 2:], PIXELS[partner][..., W // 2:])
    assert (target.diagonal() == 0.5).all()


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_alpha_shapes_lambda(kind):
    assert lambdas(kind, alpha=0.1).std() > 2 * lambdas(kind, alpha=100).std()


@pytest.mark.parametrize("alpha", [0.4, 3])
def test_mixups_lambda_is_of_the_beta_distribution(alpha):
    lam = lambdas("mixup", alpha)
    assert lam.mean() == pytest.approx(0.5, abs=0.02)
    assert lam.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.07)


@pytest.mark.parametrize("kind", KINDS)
def test_soft_labels_are_mixed_as_they_are(kind):
    soft = 0.8 * EACH + 0.2 / B
    torch.testing.assert_close(mix(kind, target=soft)[1], 0.8 * mix(kind)[1] + 0.2 / B)


@pytest.mark.parametrize("share", [0.2, 0.6])
def test_each_photo_is_mixed_with_the_probability_asked(share):
    photo, _ = pairs(share, steps=1000)
    np.testing.assert_allclose(np.bincount(photo, minlength=B) / 1000, share, atol=0.05)


def test_photos_of_a_batch_are_mixed_or_not_each_by_itself():
    mixed = [(mix(share=0.5, step=step)[1].diagonal() < 1).sum() for step in range(100)]
    assert np.var(mixed) == pytest.approx(B / 4, rel=0.5)  # binomial; all or none of a batch would be B * B / 4


@pytest.mark.parametrize("kind", KINDS)
def test_share_0_mixes_nobody(kind):
    for step in range(50):
        pixels, target = mix(kind, share=0.0, step=step)
        assert torch.equal(pixels, PIXELS)
        assert torch.equal(target, EACH)


def test_share_1_mixes_everyone():
    photo, _ = pairs(share=1.0, steps=100)
    assert (np.bincount(photo, minlength=B) == 100).all()


def test_any_other_photo_is_as_likely_a_partner():
    photo, partner = pairs(steps=3000)
    counts = np.bincount(photo * B + partner, minlength=B * B).reshape(B, B)
    np.testing.assert_allclose(counts[~np.eye(B, dtype=bool)] / 3000, 1 / (B - 1), atol=0.025)
    distinct = np.mean([len(set(of_a_batch)) for of_a_batch in partner.reshape(-1, B)])
    assert distinct == pytest.approx(B * (1 - (1 - 1 / (B - 1)) ** (B - 1)), rel=0.05)  # each photo draws its own


def test_partners_of_the_same_class():
    photo, partner = pairs(partners="class")
    assert (CLASS[photo] == CLASS[partner]).all()
    assert set(photo) == set(range(11))  # the only photo of class 2 has no partner and stays


def test_partners_of_another_class():
    photo, partner = pairs(partners="other")
    assert (CLASS[photo] != CLASS[partner]).all()
    assert set(photo) == set(partner) == set(range(B))


@pytest.mark.parametrize("partners", ["any", "class", "other"])
def test_partners_of_the_same_group(partners):
    photo, partner = pairs(groups=GROUP, partners=partners)
    assert (GROUP[photo] == GROUP[partner]).all()
    assert partners == "any" or ((CLASS[photo] == CLASS[partner]) == (partners == "class")).all()
    assert set(photo) >= set(range(11))


def test_only_chosen_photos_are_mixed_and_only_with_each_other():
    photo, partner = pairs(chosen=torch.isin(POSITION, torch.tensor([1, 4, 8])))
    assert set(photo) == set(partner) == {1, 4, 8}


def test_groups_and_chosen_are_looked_up_by_position():
    position = torch.tensor([40, 7, 99, 23, 62, 5, 81, 14, 33, 58, 70, 2])
    groups, chosen = torch.full((100,), 5), torch.zeros(100, dtype=torch.bool)
    groups[position], chosen[position] = GROUP, CLASS == 0
    photo, partner = pairs(position=position, groups=groups, chosen=chosen)
    assert set(photo) == set(range(6))
    assert (GROUP[photo] == GROUP[partner]).all()
    assert (CLASS[partner] == 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_photos_without_a_partner_stay_as_they_are(kind):
    soft = 0.8 * EACH + 0.2 / B  # every photo has a class of its own
    for alone, partners in ((slice(0, 1), "any"), (slice(B), "class")):
        pixels, target = mix(kind, partners=partners, pixels=PIXELS[alone], target=soft[alone], position=POSITION[alone])
        assert torch.equal(pixels, PIXELS[alone])
        assert torch.equal(target, soft[alone])


@pytest.mark.parametrize("kind", KINDS)
def test_seed_and_step_alone_decide(kind):
    torch.manual_seed(1)
    np.random.seed(1)
    first = mix(kind, share=0.5, step=3, seed=7)
    torch.manual_seed(2)
    np.random.seed(2)
    again = mix(kind, share=0.5, step=3, seed=7)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    for other in (mix(kind, share=0.5, step=4, seed=7), mix(kind, share=0.5, step=3, seed=8)):
        assert not torch.equal(first[0], other[0])
        assert not torch.equal(first[1], other[1])


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_memory_format_and_type_stay(kind):
    pixels, target = PIXELS.to(torch.bfloat16, memory_format=torch.channels_last), EACH.clone()
    before = pixels.clone()
    mixed, _ = mix(kind, pixels=pixels, target=target)
    assert mixed.is_contiguous(memory_format=torch.channels_last)
    assert mixed.dtype == torch.bfloat16
    assert mix(kind)[0].is_contiguous()
    assert torch.equal(pixels, before)
    assert torch.equal(target, EACH)


@pytest.mark.parametrize("kind", KINDS)
def test_the_host_never_waits_for_the_device(kind):
    """Tensors of the meta device hold no values, so that asking for one raises."""
    pixels, target = mix(kind, share=0.5, partners="other", groups=GROUP, chosen=GROUP > 0, pixels=PIXELS.to("meta"),
                         target=EACH.to("meta"))
    assert pixels.shape == PIXELS.shape
    assert target.shape == EACH.shape
