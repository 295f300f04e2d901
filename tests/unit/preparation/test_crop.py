from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from skinfw.data.keypoints import Keypoints
from skinfw.data.parts import PersonParts
from skinfw.data.segmentation import Segmentation
from skinfw.preparation.crop import cropped, person_box
from skinfw.runtime.box import Box, crop_box, cut


def test_box_of_a_person() -> None:
    mask = np.zeros((100, 80), bool)
    mask[10:90, 30:50] = True
    mask[40:44, 20:60] = True
    assert person_box(mask) == Box(top=10, left=20, height=80, width=40)


def test_separate_feet_belong_to_the_person() -> None:
    mask = np.zeros((100, 80), bool)
    mask[10:70, 30:50] = True
    mask[90:95, 30:36] = True
    assert person_box(mask) == Box(10, 30, 85, 20)


def test_specks_do_not() -> None:
    mask = np.zeros((100, 80), bool)
    mask[10:90, 30:50] = True
    mask[99, 79] = True
    assert person_box(mask) == Box(10, 30, 80, 20)


def test_nobody_has_no_box() -> None:
    assert person_box(np.zeros((10, 10), bool)) is None


@pytest.mark.parametrize(
    ("person", "aspect", "margin", "expected"),
    [
        # 10% of 80 on every side: 96 high, 48 wide
        (Box(10, 20, 80, 20), 2.0, 0.1, Box(2, 6, 96, 48)),
        # a wide person sets the width, and the height follows
        (Box(10, 20, 20, 80), 2.0, 0.0, Box(-60, 20, 160, 80)),
        (Box(0, 0, 100, 50), 2.0, 0.0, Box(0, 0, 100, 50)),
        (Box(0, 0, 100, 50), 1.0, 0.0, Box(0, -25, 100, 100)),
    ],
)
def test_crop_around_a_person(person: Box, aspect: float, margin: float, expected: Box) -> None:
    assert crop_box(person, aspect, margin) == expected


@pytest.mark.parametrize(
    "box", [Box(2, 3, 5, 4), Box(-2, -3, 6, 6), Box(8, 7, 6, 6), Box(-3, -3, 20, 20), Box(30, 30, 4, 4)]
)
def test_cut_fills_what_lies_beyond_the_image(box: Box) -> None:
    values = np.random.default_rng(0).integers(0, 255, (10, 9, 3), np.uint8)
    padded = np.pad(values, ((40, 40), (40, 40), (0, 0)), constant_values=255)
    top, left = box.top + 40, box.left + 40
    expected = padded[top : top + box.height, left : left + box.width]
    assert np.array_equal(cut(values, box, 255), expected)


def parts_of(size: tuple[int, int]) -> PersonParts:
    """Return a gray person that fills the photo: kept, skin and hole at once, of the last class."""
    ones = np.ones(size, bool)
    gray = np.full((*size, 3), 9, np.uint8)
    labels = Segmentation(
        np.full(size, 2, np.uint8),
        ("top", "nothing", "skin"),
        {"background": ("nothing",), "skin": ("skin",)},
    )
    return PersonParts(
        apparel=gray, keep=ones, body=gray, to_inpaint=ones, skin=ones, labels=labels, line=gray
    )


def test_beyond_the_photo_everything_is_background() -> None:
    found = cropped(parts_of((4, 4)), Box(-1, 0, 5, 4))
    assert (found.apparel[0] == 255).all() and (found.body[0] == 255).all()
    assert found.line is not None and not found.line[0].any()
    for mask in (found.keep, found.skin, found.to_inpaint, found.labels.region("skin")):
        assert not mask[0].any() and mask[1:].all()
    assert found.labels.region("background")[0].all()
    assert cropped(replace(parts_of((4, 4)), line=None), Box(-1, 0, 5, 4)).line is None


def test_keypoints_are_cropped_with_the_images() -> None:
    points = np.zeros((25, 3), np.float32)
    points[0] = 2, 3, 0.9
    parts = replace(parts_of((4, 4)), pose=Keypoints(points))
    found = cropped(parts, Box(-1, 1, 5, 4)).pose
    assert found is not None
    assert found.points[0].tolist() == pytest.approx([1, 4, 0.9])
    assert not found.points[1:].any()
    assert cropped(replace(parts, pose=None), Box(-1, 1, 5, 4)).pose is None
