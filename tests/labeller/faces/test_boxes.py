"""The region that is cut keeps the face in its middle, with the margin and the shape that were asked for."""
import pytest

from labeller.faces.boxes import cut_box, middle_box


@pytest.mark.parametrize("aspect", [0.5, 0.75, 1.0, 1.5])
@pytest.mark.parametrize("margin", [0, 0.25, 1])
def test_a_region_has_the_aspect_and_holds_the_face_with_its_margin(aspect, margin):
    x0, y0, x1, y1 = cut_box((100, 120, 180, 220), margin, aspect)
    assert (x1 - x0) / (y1 - y0) == pytest.approx(aspect, abs=0.02)
    assert min(x1 - x0, y1 - y0) == pytest.approx(100 * (1 + 2 * margin), abs=1)
    assert ((x0 + x1) / 2, (y0 + y1) / 2) == pytest.approx((140, 170), abs=1)


@pytest.mark.parametrize("width, height", [(384, 512), (512, 384), (3, 2), (1, 1)])
def test_the_middle_box_lies_in_the_middle_of_any_photo(width, height):
    x0, y0, x1, y1 = middle_box(width, height)
    assert 0 <= x0 < x1 <= width
    assert 0 <= y0 < y1 <= height
    assert abs(x0 - (width - x1)) <= 1
    assert x1 - x0 == y1 - y0
