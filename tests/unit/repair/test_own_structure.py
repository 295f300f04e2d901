from __future__ import annotations

import cv2
import numpy as np
import pytest

from skinfw.data.skin_color import lab
from skinfw.repair.own_structure import with_own_structure

SIZE = (200, 160)
SKIN = np.array((190, 140, 115), np.float32)
ARM, OTHER = np.zeros(SIZE, bool), np.zeros(SIZE, bool)
ARM[40:160, 20:60] = True
OTHER[40:160, 100:140] = True


def shaded() -> np.ndarray:
    """Return skin with light that changes over a few pixels, float32."""
    light = cv2.GaussianBlur(np.random.default_rng(0).standard_normal(SIZE).astype(np.float32), (0, 0), 2)
    light *= 12 / light.std()
    return np.asarray(SKIN + light[..., None], np.float32)


def rounded(image: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def test_a_leaked_color_goes_and_the_light_stays() -> None:
    truth = shaded()
    result = truth.copy()
    result[ARM] = 0.6 * result[ARM] + 0.4 * np.array((40, 60, 160))  # of a blue sleeve
    painted = rounded(result)
    painted[ARM] = SKIN
    found, weight = with_own_structure(painted, rounded(result), ARM, OTHER)
    assert np.array_equal(found[~ARM], painted[~ARM])
    assert weight[ARM].mean() > 0.9 and not weight[~ARM].any()

    def error(image: np.ndarray) -> float:
        return float(np.sqrt(np.square(image[ARM] - truth[ARM]).mean()))

    assert error(found.astype(np.float32)) < 0.6 * error(painted.astype(np.float32)) < error(result)
    # the tone is the painted one
    mean, wanted = (lab(image)[ARM].mean(axis=0) for image in (found, painted))
    assert mean == pytest.approx(wanted, abs=1.0)


def test_a_leftover_pattern_goes() -> None:
    result = shaded()
    stripes = (np.arange(SIZE[0]) // 4 % 2)[:, None, None] * np.array((-90, -60, 80))
    result[ARM] = (result + stripes)[ARM]
    painted = rounded(result)
    painted[ARM] = SKIN
    found, weight = with_own_structure(painted, rounded(result), ARM, OTHER)
    assert weight[ARM].mean() < 0.05
    assert np.abs(found[ARM].astype(int) - painted[ARM]).mean() < 2


def test_without_other_skin_the_painted_image_stays() -> None:
    result = rounded(shaded())
    painted = result.copy()
    painted[ARM] = SKIN
    nowhere = np.zeros(SIZE, bool)
    for mask, skin in ((ARM, nowhere), (nowhere, OTHER)):
        found, weight = with_own_structure(painted, result, mask, skin)
        assert np.array_equal(found, painted) and not weight.any()
