"""Pixels of a resize by area are torch's own, bit for bit, for whole photos and for any number of cuts."""
import pytest
import torch

from stages.faces.integral_image import cells, cut, integral, shrink

CPU = torch.device("cpu")


@pytest.fixture
def photos():
    return torch.randint(0, 256, (2, 61, 50, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("x0, y0, x1, y1", [(0, 0, 50, 61), (3, 5, 8, 9), (10, 20, 37, 59)])
def test_cuts_are_those_of_torchs_area_resize(photos, x0, y0, x1, y1):
    part = photos[1:, y0:y1, x0:x1].permute(0, 3, 1, 2).float()
    want = torch.nn.functional.interpolate(part, size=(24, 24), mode="area").permute(0, 2, 3, 1)
    got = cut(integral(photos), torch.tensor([0, 1]), torch.tensor([[0, 0, 9, 9], [x0, y0, x1, y1]]), 24)
    assert torch.equal(got[1:], want)


def test_the_pyramid_is_that_of_torchs_area_resize(photos):
    want = torch.nn.functional.interpolate(photos.permute(0, 3, 1, 2).float(), size=(25, 19), mode="area")
    assert torch.equal(shrink(integral(photos), 25, 19), want.permute(0, 2, 3, 1))


def test_sums_beyond_int32_still_give_the_right_means():
    photos = torch.full((1, 3000, 3000, 3), 255, dtype=torch.uint8)
    assert int(photos.sum()) / 3 > 2**31
    assert (shrink(integral(photos), 12, 12) == 255).all()


def test_cells_cover_every_pixel():
    start, end = cells(17, 5, CPU)
    assert start[0] == 0
    assert end[-1] == 17
    assert (start[1:] <= end[:-1]).all()
