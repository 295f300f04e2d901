from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt

from skinfw.assembly.build import build
from skinfw.components.field_names import APPAREL, BODY, FACE, KEEP, KEYPOINTS, LINE, MASK, SKIN
from skinfw.components.reference import use
from skinfw.data.batch import collate
from skinfw.data.dataset_io import to_sample
from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.data.parts import PersonParts, dilate, make_agnostic
from skinfw.data.pose_types import PoseMapType
from skinfw.data.segmentation import Mask, Segmentation
from skinfw.data.skeleton import draw_resized_pose
from skinfw.errors import DataError
from skinfw.interfaces import Input
from skinfw.testing import example_dataset_io

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
def test_dilate_by_a_disc(margin: int) -> None:
    mask = np.zeros((40, 30), bool)
    mask[20, 15] = True
    found = dilate(mask, margin)
    distance = distance_transform_edt(~mask)
    # OpenCV's disc is within half a pixel of the true one
    assert found[distance <= margin - 0.5].all()
    assert not found[distance > margin + 0.5].any()


def test_background_and_skin_are_removed() -> None:
    parts = make_agnostic(PHOTO, bands(), 0)
    expected = np.isin(bands().labels, [1, 2, 4, 5])
    assert np.array_equal(parts.keep, expected)
    assert np.array_equal(parts.apparel[expected], PHOTO[expected])
    assert (parts.apparel[~expected] == 255).all()
    person = bands().labels > 0
    assert np.array_equal(parts.body[person], PHOTO[person])
    assert (parts.body[~person] == 255).all()


def test_only_what_is_removed_is_dilated() -> None:
    parts = make_agnostic(PHOTO, bands(), 2)
    assert np.array_equal(parts.skin, bands().labels == 3)
    # the face ends at row 12 and the top begins at row 20: two rows of each are gone
    assert parts.keep[9, 15] and not parts.keep[10:22, 15].any() and parts.keep[22, 15]


def test_what_was_erased_of_the_person_may_be_painted() -> None:
    parts = make_agnostic(PHOTO, bands(), 2)
    # the skin's eight rows and two rows of face and top; beside the person, nothing
    assert np.flatnonzero(parts.to_inpaint[:, 15]).tolist() == list(range(10, 22))
    assert not parts.to_inpaint[:, :5].any() and not parts.to_inpaint[:, 25:].any()
    assert np.array_equal(parts.to_inpaint | parts.keep, bands().labels > 0)
    assert parts.inpainting_mask() is parts.to_inpaint


def face(parts: PersonParts) -> Mask | None:
    field = build(use("input", "face"), Input).read(parts)
    return None if field is None else field.value


def test_face_is_the_class_of_that_name() -> None:
    found = face(make_agnostic(PHOTO, bands(), 0))
    assert found is not None and np.array_equal(found, bands().labels == 2)
    # of the face, too, what was erased is not there
    less = face(make_agnostic(PHOTO, bands(), 2))
    assert less is not None and np.array_equal(less, found & (np.arange(40) < 10)[:, None])
    blind = Segmentation(bands().labels, ("background", "hair", "head", "skin", "top", "footwear"), {})
    assert face(make_agnostic(PHOTO, blind, 0)) is None


@pytest.mark.parametrize("size", [(7, 11), (20, 15), (80, 60)])
def test_resized_masks_never_overlap(size: tuple[int, int]) -> None:
    small = to_sample("a", make_agnostic(PHOTO, bands(), 0), example_dataset_io(size, (SKIN, FACE)))
    assert small[SKIN].any() and not (small[SKIN] & small[KEEP]).any()
    assert small[MASK].any() and not (small[MASK] & small[KEEP]).any()
    assert small[FACE].any() and not (small[FACE] & ~small[KEEP]).any()


def test_a_sample_has_the_fields_asked_for() -> None:
    parts = make_agnostic(PHOTO, bands(), 1)
    sample = to_sample("someone", parts, example_dataset_io((20, 16), (SKIN, APPAREL, FACE)))
    assert set(sample.fields) == {APPAREL, BODY, KEEP, MASK, SKIN, FACE}
    assert sample.name == "someone" and sample.source_size == (40, 30)
    for name in (APPAREL, BODY):
        assert (sample[name].shape, sample[name].dtype) == ((20, 16, 3), np.uint8)
    for name in (KEEP, MASK, SKIN, FACE):
        assert (sample[name].shape, sample[name].dtype) == ((20, 16), np.bool_)
    assert (sample[APPAREL][~sample[KEEP]] == 255).all()
    fewer = to_sample("someone", parts, example_dataset_io((20, 16), (APPAREL,)))
    # skin is always there: losses and metrics look at it
    assert set(fewer.fields) == {APPAREL, BODY, KEEP, MASK, SKIN}
    assert np.array_equal(fewer[SKIN], sample[SKIN])


def test_a_mask_that_is_measured_alone_is_blank_where_nobody_knows() -> None:
    parts = make_agnostic(PHOTO, bands(), 1)
    asked = example_dataset_io((20, 16), ("arms", FACE))
    with pytest.raises(DataError, match="the person: the arms cannot be located"):
        to_sample("someone", parts, asked)
    sample = to_sample("someone", parts, replace(asked, inputs={}, optional=asked.inputs))
    assert sample["arms"].shape == (20, 16) and not sample["arms"].any()
    assert sample[FACE].any()


def test_networks_see_the_inputs_in_the_order_asked_for() -> None:
    names = (SKIN, APPAREL, FACE)
    batch = collate([to_sample("a", make_agnostic(PHOTO, bands(), 1), example_dataset_io((20, 16), names))])
    condition = batch.condition(names)
    assert condition.shape == (1, 9, 20, 16)
    for index, expected in enumerate(
        (batch[SKIN].expand(1, 3, 20, 16), batch[APPAREL], batch[FACE].expand(1, 3, 20, 16))
    ):
        assert expected.any() and torch.equal(condition[:, 3 * index : 3 * index + 3], expected)


def test_a_target_that_is_not_needed_is_what_is_seen() -> None:
    parts = make_agnostic(PHOTO, bands(), 1)
    sample = to_sample("a", parts, example_dataset_io((40, 30), (APPAREL,)), needs_target=False)
    assert np.array_equal(sample[BODY], parts.apparel) and not np.array_equal(parts.body, parts.apparel)


def test_a_sample_without_the_pose() -> None:
    parts = make_agnostic(PHOTO, bands(), 1)
    with pytest.raises(DataError, match=r"the person: line and keypoints\.json are both missing"):
        to_sample("someone", parts, example_dataset_io((20, 16), (APPAREL, LINE)))
    with pytest.raises(DataError, match=r"the person: keypoints\.json is missing or empty; augmentations"):
        to_sample("someone", parts, example_dataset_io((20, 16), (APPAREL,), needs_keypoints=True))


def test_a_pose_without_a_drawing_is_drawn_in_the_style_of_the_person() -> None:
    points = np.zeros((25, 3), np.float32)
    for name, place in (("Nose", (15, 8)), ("Neck", (15, 12)), ("MidHip", (15, 30))):
        points[BODY_25.index(name)] = (*place, 0.9)
    pose = Keypoints(points)
    parts = replace(make_agnostic(PHOTO, bands(), 1), pose=pose, style="lines")
    io = example_dataset_io((40, 30), (LINE,), needs_keypoints=True)
    sample = to_sample("someone", parts, io)
    assert np.array_equal(sample[LINE], draw_resized_pose(pose, (40, 30), "lines")) and sample[LINE].any()
    assert sample.fields[LINE].type == PoseMapType("lines")
    assert np.array_equal(sample[KEYPOINTS].points, points)
