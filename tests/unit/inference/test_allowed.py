"""The margin of clothes that becomes background with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from skinfw.data.body_parts import Body
from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.data.photo import Photo
from skinfw.data.segmentation import Segmentation
from skinfw.data.trunk import trunk_of_pose
from skinfw.errors import DataError
from skinfw.inference.allowed import allowed_clothes, allowed_holes, allowed_mask, allowed_region
from skinfw.inference.inpainter import Inpainter

SCALE = 6


@pytest.fixture
def labels(inpainter: Inpainter, photo: Path, arms: np.ndarray) -> Segmentation:
    """The label map of a photo of 1152x768 pixels, whose bare limbs wear clothes."""
    found = inpainter.segmenter.segment(Photo.read(photo))
    worn = np.where(arms, np.uint8(found.classes.index(found.regions["apparel"][0])), found.labels)
    return replace(found, labels=large(worn))


@pytest.fixture
def pose(inpainter: Inpainter, photo: Path) -> Keypoints:
    opened = Photo.read(photo)
    found = inpainter.pose_encoder.keypoints(opened, inpainter.segmenter.segment(opened).person)
    assert found is not None
    return Keypoints(found.points * np.float32([SCALE, SCALE, 1]))


def large(image: np.ndarray) -> np.ndarray:
    return np.kron(image, np.ones((SCALE, SCALE), image.dtype))


def width_of(pose: Keypoints) -> int:
    """A fiftieth of the trunk's length."""
    body = Body.of(pose)
    assert body is not None
    return round(body.unit / 50)


def test_the_margin_is_as_wide_as_the_trunk_is_long(
    labels: Segmentation, pose: Keypoints, arms: np.ndarray
) -> None:
    region = large(arms)
    allowed = allowed_region(region, labels, [pose], "x")
    margin = allowed.mask & ~region
    assert np.array_equal(allowed.behind, margin) and not margin[labels.region("skin", "head", "feet")].any()
    apart = distance_transform_edt(~region)[margin]
    assert 2 < width_of(pose) - 1 < apart.max() <= width_of(pose)


def test_clothes_that_stay_lose_nothing_but_their_outline(
    labels: Segmentation, pose: Keypoints, arms: np.ndarray
) -> None:
    region = large(arms)
    upper = np.arange(region.shape[0])[:, None] < np.median(np.nonzero(region)[0])
    mask = allowed_region(region & ~upper, labels, [pose], "x").mask
    inner = distance_transform_edt(~labels.region("background")) > width_of(pose)
    assert (region & upper & inner).any() and not mask[region & upper & inner].any()


def test_other_people_do_not_widen_it(labels: Segmentation, pose: Keypoints, arms: np.ndarray) -> None:
    alone = allowed_region(large(arms), labels, [pose], "x").mask
    crowd = labels.labels.copy()
    crowd[-5:, :5] = labels.classes.index(labels.regions["skin"][0])
    assert np.array_equal(allowed_region(large(arms), replace(labels, labels=crowd), [pose], "x").mask, alone)


def test_a_pose_that_joins_two_people_moves_no_limb(
    labels: Segmentation, pose: Keypoints, arms: np.ndarray
) -> None:
    holes = large(arms)
    points = pose.points.copy()
    points[BODY_25.index("LShoulder"), 0] += 400  # that of somebody beside them
    joined = Keypoints(points)
    for body, joins in ((Body.of(pose), False), (Body.of(joined), True)):
        assert body is not None and body.joins_people is joins
    for allowed in (allowed_mask(holes, joined), allowed_holes(holes, [joined], "x")):
        assert not allowed.behind.any()
        assert allowed.warnings[-1].startswith("the pose seems to join two people, so all")
    region = allowed_region(holes, labels, [joined], "x")
    assert region.warnings[-1].endswith("trunk and hands may be in the wrong place")
    with pytest.raises(DataError, match=r"x: the pose seems to join two people, so limbs .* give a mask"):
        allowed_clothes(("forearms",), np.zeros((*holes.shape, 3), np.uint8), labels, [joined], "x")


def test_nobodys_trunk_is_painted(labels: Segmentation, pose: Keypoints, arms: np.ndarray) -> None:
    """Somebody else stands where the right arm is: that part of the arm counts as their trunk."""
    region, elbow = large(arms), pose.point("RElbow")
    away = Keypoints(pose.points + np.float32([*(elbow - pose.point("Neck"))[:2], 0]))
    alone, beside = (allowed_region(region, labels, people, "x") for people in ([pose], [pose, away]))
    there = trunk_of_pose(away, (region.shape[0], region.shape[1]))
    assert there is not None and (alone.mask & there).any()
    assert not (beside.mask & there).any() and beside.left > alone.left
    assert np.array_equal(beside.mask & ~there, alone.mask & ~there)
    blurred = Keypoints(away.points * np.float32([[1, 1, 0]]))  # nobody was found there
    assert np.array_equal(allowed_region(region, labels, [pose, blurred], "x").mask, alone.mask)
