from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from skinfw.data.parts import grow, make_agnostic, mask_picture, resize_parts, to_sample
from skinfw.data.segmentation import Segmentation

CLASSES = ("background", "hair", "face", "skin", "top", "footwear")
REGIONS = {
    "background": ("background",),
    "head": ("hair", "face"),
    "skin": ("skin",),
    "apparel": ("top",),
    "feet": ("footwear",),
}
RNG = np.random.default_rng(1)
PHOTO = RNG.integers(0, 200, (40, 30, 3), np.uint8)


def bands() -> Segmentation:
    """Background, hair, face, skin, top and shoes from top to bottom."""
    labels = np.zeros((40, 30), np.uint8)
    for index, (start, end) in enumerate([(4, 8), (8, 12), (12, 20), (20, 32), (32, 36)], start=1):
        labels[start:end, 5:25] = index
    return Segmentation(labels, CLASSES, REGIONS)


@pytest.mark.parametrize("margin", [0, 1, 3, 7])
def test_grow_by_a_disc(margin: int) -> None:
    mask = np.zeros((40, 30), bool)
    mask[20, 15] = True
    found = grow(mask, margin)
    distance = distance_transform_edt(~mask)
    # OpenCV's disc is within half a pixel of the true one
    assert found[distance <= margin - 0.5].all()
    assert not found[distance > margin + 0.5].any()


def test_background_and_skin_are_removed() -> None:
    parts = make_agnostic(PHOTO, bands(), 0)
    expected = np.isin(bands().labels, [1, 2, 4, 5])
    assert np.array_equal(parts.kept, expected)
    assert np.array_equal(parts.apparel[expected], PHOTO[expected])
    assert (parts.apparel[~expected] == 255).all()
    person = bands().labels > 0
    assert np.array_equal(parts.body[person], PHOTO[person])
    assert (parts.body[~person] == 255).all()


def test_only_what_is_removed_grows() -> None:
    parts = make_agnostic(PHOTO, bands(), 2)
    skin = bands().labels == 3
    assert parts.skin is not None and np.array_equal(parts.skin, skin)
    # the face ends at row 12 and the top begins at row 20: two rows of each are gone
    assert parts.kept[9, 15] and not parts.kept[10:22, 15].any() and parts.kept[22, 15]


def test_face_is_the_class_of_that_name() -> None:
    parts = make_agnostic(PHOTO, bands(), 0)
    assert parts.face is not None and np.array_equal(parts.face, bands().labels == 2)
    blind = Segmentation(bands().labels, ("background", "hair", "head", "skin", "top", "footwear"), {})
    assert make_agnostic(PHOTO, blind, 0).face is None


def test_resized_masks_never_overlap() -> None:
    parts = make_agnostic(PHOTO, bands(), 0)
    for size in ((7, 11), (20, 15), (80, 60)):
        small = resize_parts(parts, size)
        assert small.skin is not None and not (small.skin & small.kept).any()
        assert small.face is not None and not (small.face & ~small.kept).any()


def test_sample_has_the_inputs_asked_for_in_order() -> None:
    inputs = ("segmentation_skin", "apparel_head_foot", "face")
    sample = to_sample("someone", make_agnostic(PHOTO, bands(), 1), (20, 16), inputs)
    assert tuple(sample.inputs) == inputs
    assert all(picture.shape == (20, 16, 3) for picture in sample.inputs.values())
    assert sample.skin is not None
    assert np.array_equal(sample.inputs["segmentation_skin"], mask_picture(sample.skin))
    assert (sample.inputs["apparel_head_foot"][~sample.kept] == 255).all()
    assert set(np.unique(sample.inputs["face"])) == {0, 255}


def test_sample_without_the_drawn_pose() -> None:
    with pytest.raises(ValueError, match="hold no line"):
        to_sample("someone", make_agnostic(PHOTO, bands(), 1), (20, 16), ("apparel_head_foot", "line"))
