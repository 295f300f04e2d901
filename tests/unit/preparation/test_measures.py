from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
from skimage.transform import downscale_local_mean

from skinfw.data.keypoints import Keypoints
from skinfw.data.segmentation import Segmentation
from skinfw.preparation.measures import class_fractions, cut_off_fraction, people_count, sharpness
from skinfw.runtime.box import Box

CLASSES = ("background", "top", "skin")
REGIONS = {"background": ("background",), "apparel": ("top",), "skin": ("skin",)}


def scene(*patches: tuple[slice, slice]) -> Segmentation:
    labels = np.zeros((60, 80), np.uint8)
    for patch in patches:
        labels[patch] = 1
    return Segmentation(labels, CLASSES, REGIONS)


def pose(points: int) -> Keypoints:
    values = np.zeros((25, 3), np.float32)
    values[:points] = 5, 5, 0.9
    return Keypoints(values)


def test_people_are_counted_by_poses_and_by_patches() -> None:
    one = scene((slice(10, 50), slice(10, 20)))
    two = scene((slice(10, 50), slice(10, 20)), (slice(10, 50), slice(40, 50)))
    bag = scene((slice(10, 50), slice(10, 20)), (slice(10, 19), slice(40, 50)))
    assert people_count(one, [pose(25)]) == 1
    assert people_count(one, [pose(25), pose(5)]) == 2
    # four points are a stray limb
    assert people_count(one, [pose(25), pose(4)]) == 1
    assert people_count(two, [pose(25)]) == 2
    # 90 of 400 pixels are less than a quarter, 100 are not
    assert people_count(bag, [pose(25)]) == 1
    assert people_count(scene((slice(10, 50), slice(10, 20)), (slice(10, 20), slice(40, 50))), []) == 2


def test_share_of_the_outline_at_the_border_by_hand() -> None:
    person = np.zeros((60, 80), bool)
    person[20:60, 10:30] = True
    # a box of 40x20 has 116 pixels around; its lowest 20 are on the border
    assert cut_off_fraction(person, Box(20, 10, 40, 20)) == pytest.approx(20 / 116)
    person[:] = False
    person[20:59, 10:30] = True
    assert cut_off_fraction(person, Box(20, 10, 39, 20)) == 0
    assert cut_off_fraction(np.ones((60, 80), bool), Box(0, 0, 60, 80)) == 1
    assert cut_off_fraction(np.ones((1, 1), bool), Box(0, 0, 1, 1)) == 1


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    gray = np.random.default_rng(0).integers(0, 256, (512, 256), np.uint8)
    photo = np.repeat(gray[..., None], 3, axis=2)
    # the box is halved to 256 pixels; kernel and border as OpenCV has them by default
    halved = np.floor(downscale_local_mean(gray.astype(float), (2, 2)) + 0.5)
    kernel = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    expected = scipy.ndimage.convolve(halved, kernel, mode="mirror").var()
    assert sharpness(photo, Box(0, 0, 512, 256)) == pytest.approx(expected, rel=0.01)


def test_sharpness_does_not_depend_on_the_size_but_on_the_blur() -> None:
    rng = np.random.default_rng(0)
    small = np.repeat(rng.integers(0, 256, (256, 128, 1), np.uint8), 3, axis=2)
    large = small.repeat(3, axis=0).repeat(3, axis=1)
    assert sharpness(large, Box(0, 0, 768, 384)) == pytest.approx(sharpness(small, Box(0, 0, 256, 128)))
    blurred = scipy.ndimage.gaussian_filter(small.astype(float), (2, 2, 0)).astype(np.uint8)
    assert sharpness(blurred, Box(0, 0, 256, 128)) < sharpness(small, Box(0, 0, 256, 128)) / 50
    assert sharpness(np.zeros((1, 1, 3), np.uint8), Box(0, 0, 1, 1)) == 0


def test_shares_are_of_the_person() -> None:
    labels = np.zeros((10, 10), np.uint8)
    labels[:2], labels[2] = 1, 2
    assert class_fractions(Segmentation(labels, CLASSES, REGIONS)) == {"top": 20 / 30, "skin": 10 / 30}
    labels[labels == 2] = 0
    assert class_fractions(Segmentation(labels, CLASSES, REGIONS)) == {"top": 1}
