"""The model of skin color against skimage and a covariance of its own making."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2
from skimage.color import lab2rgb, rgb2lab

from skinfw.data.skin_color import CONSISTENCY, MIN_PIXELS, SkinColor, lab, skin_color, skin_like

MEAN = np.array([65.0, 18.0, 20.0])
SPREAD = np.array([[36.0, 6, 3], [6, 9, 2], [3, 2, 9]])


def drawn(count: int, seed: int = 0) -> np.ndarray:
    lab = np.random.default_rng(seed).multivariate_normal(MEAN, SPREAD, size=(1, count))
    return (lab2rgb(lab) * 255 + 0.5).astype(np.uint8)


def test_it_recovers_a_normal_distribution() -> None:
    pixels = drawn(20_000)
    model = skin_color(pixels, np.ones(pixels.shape[:2], bool))
    assert model is not None
    assert np.abs(model.mean - MEAN).max() < 0.5
    # the noise that is added to every skin, and the rounding to 8 bits, widen it a little
    assert np.abs(np.diag(model.covariance) - np.diag(SPREAD) - [4, 1, 1]).max() < 2.5
    assert 0.98 < model.like(drawn(20_000, seed=1)).mean() <= 1


def test_a_quarter_of_other_colors_does_not_matter() -> None:
    pixels = drawn(4000)
    pixels[0, :900] = (20, 40, 200)
    model = skin_color(pixels, np.ones(pixels.shape[:2], bool))
    assert model is not None
    assert np.abs(model.mean - MEAN).max() < 1.5
    others = np.array([[[20, 40, 200], [255, 255, 255], [0, 0, 0]]], np.uint8)
    assert not model.like(others).any()
    assert model.like(pixels[:, 900:]).mean() > 0.95


def test_too_few_pixels_tell_nothing() -> None:
    pixels = drawn(MIN_PIXELS - 1)
    assert skin_color(pixels, np.ones(pixels.shape[:2], bool)) is None


def test_paint_of_one_color_is_a_model_too() -> None:
    paint = np.full((20, 20, 3), (224, 172, 140), np.uint8)
    model = skin_color(paint, np.ones((20, 20), bool))
    assert model is not None and model.like(paint).all()


def test_lab_agrees_with_skimage() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 20, 3)).astype(np.uint8)
    assert np.abs(lab(image) - rgb2lab(image)).max() < 0.5


def test_outliers_do_not_move_the_color_of_the_face() -> None:
    rng = np.random.default_rng(0)
    skin = rng.normal([65, 18, 22], [6, 2, 2], (4000, 3))
    hair = rng.normal([20, 2, 5], [3, 1, 1], (900, 3))
    fitted = SkinColor.fitted(np.concatenate([skin, hair]).astype(np.float32))
    assert np.abs(fitted.mean - [65, 18, 22]).max() < 1


def test_the_spread_of_a_clean_face_comes_out_again() -> None:
    assert pytest.approx(0.75 / chi2.cdf(chi2.ppf(0.75, 3), 5), rel=0.01) == CONSISTENCY
    skin = np.random.default_rng(0).normal([65, 18, 22], [6, 5, 4], (3000, 3))
    fitted = SkinColor.fitted(skin.astype(np.float32))
    assert np.sqrt(np.diag(fitted.covariance - np.eye(3))) == pytest.approx([6, 5, 4], rel=0.1)


@pytest.mark.parametrize("tone", [(244, 208, 177), (199, 150, 115), (141, 85, 54), (92, 56, 38)])
def test_skin_of_many_tones_is_like_skin(tone: tuple[int, int, int]) -> None:
    assert skin_like(np.array([[tone]], np.uint8)).all()
    assert not skin_like(
        np.array([[(40, 80, 160), (255, 255, 255), (0, 0, 0), (60, 140, 60)]], np.uint8)
    ).any()


def test_distance_by_hand() -> None:
    covariance = np.array([[4.0, 1, 0], [1, 2, 0], [0, 0, 1]])
    off = np.array([[2.0, -1, 3], [0, 0, 0]])
    found = SkinColor(MEAN, covariance).distance(off + MEAN)
    assert found == pytest.approx([off[0] @ np.linalg.solve(covariance, off[0]), 0])
