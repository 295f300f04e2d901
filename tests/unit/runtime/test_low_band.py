from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import convolve1d, distance_transform_edt

from skinfw.runtime.box import Box, bounding_box
from skinfw.runtime.low_band import coverage, enlarged, extended, mean_colors, smoothed


def random_colors(*size: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (*size, 3)).astype(np.float32)


def test_extending_keeps_pixels_of_full_weight_and_is_the_color_where_there_is_one() -> None:
    colors = random_colors(13, 9)
    weight = np.zeros((13, 9), np.float32)
    weight[2:5, 3:6] = 1
    found = extended(colors, weight)
    assert np.array_equal(found[weight == 1], colors[weight == 1])
    flat = np.where(weight[..., None] > 0, np.float32([10, 20, 30]), random_colors(13, 9))
    np.testing.assert_allclose(extended(flat, weight), np.broadcast_to([10, 20, 30], flat.shape), atol=1e-3)


def test_extended_colors_are_those_of_near_pixels() -> None:
    colors = np.zeros((16, 16, 3), np.float32)
    weight = np.zeros((16, 16), np.float32)
    for place, value in (((1, 1), 100), ((14, 14), 200)):
        colors[place], weight[place] = value, 1
    found = extended(colors, weight)[..., 0]
    to_first, to_second = (
        distance_transform_edt(np.indices((16, 16)).transpose(1, 2, 0).__ne__(place).any(axis=2))
        for place in ((1, 1), (14, 14))
    )
    assert (np.abs(found - 100) < np.abs(found - 200))[to_first < 0.4 * to_second].all()
    assert (np.abs(found - 200) < np.abs(found - 100))[to_second < 0.4 * to_first].all()
    assert found.min() >= 100 - 1e-3
    assert found.max() <= 200 + 1e-3


def test_without_any_weight_everything_is_zero() -> None:
    assert not extended(random_colors(5, 7), np.zeros((5, 7), np.float32)).any()


def test_parts_that_are_enlarged_alone_equal_those_of_the_whole() -> None:
    small, box = random_colors(16, 8), Box(-7, 5, 100, 50)
    whole = enlarged(small, box, box)
    for part in (Box(0, 10, 40, 30), Box(20, 5, 1, 50), Box(-7, 54, 100, 1)):
        alone = enlarged(small, box, part)
        rows = slice(part.top - box.top, part.bottom - box.top)
        columns = slice(part.left - box.left, part.right - box.left)
        np.testing.assert_allclose(alone, whole[rows, columns], atol=1e-3)


def test_enlarging_is_pillows_bicubic() -> None:
    small, box = random_colors(8, 4), Box(0, 0, 40, 20)
    plane = Image.fromarray(small[..., 1]).resize((20, 40), Image.Resampling.BICUBIC)
    np.testing.assert_allclose(enlarged(small, box, box)[..., 1], np.asarray(plane), atol=1e-3)


def test_coverage_and_mean_colors_are_block_means_of_the_masked_pixels() -> None:
    photo = np.random.default_rng(1).integers(0, 256, (12, 8, 3), np.uint8)
    mask = np.random.default_rng(2).random((12, 8)) < 0.5
    box = Box(0, 0, 12, 8)
    parts = coverage(mask, box, (3, 2))
    colors, weight = mean_colors(photo, mask, box, (3, 2))
    for row in range(3):
        for column in range(2):
            block = (slice(4 * row, 4 * row + 4), slice(4 * column, 4 * column + 4))
            assert parts[row, column] == pytest.approx(mask[block].mean())
            expected = photo[block][mask[block]].mean(axis=0)
            np.testing.assert_allclose(colors[row, column], expected, rtol=1e-4)
    assert np.array_equal(parts, weight)


def test_the_bounding_box_of_nothing_is_none() -> None:
    assert bounding_box(np.zeros((3, 3), bool)) is None


def test_smoothing_equals_scipys_binomial_filter() -> None:
    colors = np.random.default_rng(0).random((9, 14, 3)).astype(np.float32) * 255
    kernel = np.array([1, 4, 6, 4, 1]) / 16
    expected = convolve1d(convolve1d(colors, kernel, axis=0, mode="nearest"), kernel, axis=1, mode="nearest")
    np.testing.assert_allclose(smoothed(colors), expected, rtol=1e-5)
    assert smoothed(colors).dtype == np.float32
