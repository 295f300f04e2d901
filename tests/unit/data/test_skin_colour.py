"""The model of skin colour against skimage and a covariance of its own making."""

from __future__ import annotations

import numpy as np
from skimage.color import lab2rgb

from skinfw.data.skin_colour import LEAST_PIXELS, skin_colour

MEAN = np.array([65.0, 18.0, 20.0])
SPREAD = np.array([[36.0, 6, 3], [6, 9, 2], [3, 2, 9]])


def drawn(count: int, seed: int = 0) -> np.ndarray:
    lab = np.random.default_rng(seed).multivariate_normal(MEAN, SPREAD, size=(1, count))
    return (lab2rgb(lab) * 255 + 0.5).astype(np.uint8)


def test_it_recovers_a_normal_distribution() -> None:
    pixels = drawn(20_000)
    model = skin_colour(pixels, np.ones(pixels.shape[:2], bool))
    assert model is not None
    assert np.abs(model.mean - MEAN).max() < 0.5
    # the noise that is added to every skin, and the rounding to 8 bits, widen it a little
    covariance = np.linalg.inv(model.whitening @ model.whitening.T)
    assert np.abs(np.diag(covariance) - np.diag(SPREAD) - [4, 1, 1]).max() < 2.5
    assert 0.98 < model.like(drawn(20_000, seed=1)).mean() <= 1


def test_a_quarter_of_other_colours_does_not_matter() -> None:
    pixels = drawn(4000)
    pixels[0, :900] = (20, 40, 200)
    model = skin_colour(pixels, np.ones(pixels.shape[:2], bool))
    assert model is not None
    assert np.abs(model.mean - MEAN).max() < 1.5
    others = np.array([[[20, 40, 200], [255, 255, 255], [0, 0, 0]]], np.uint8)
    assert not model.like(others).any()
    assert model.like(pixels[:, 900:]).mean() > 0.95


def test_too_few_pixels_tell_nothing() -> None:
    pixels = drawn(LEAST_PIXELS - 1)
    assert skin_colour(pixels, np.ones(pixels.shape[:2], bool)) is None


def test_paint_of_one_colour_is_a_model_too() -> None:
    paint = np.full((20, 20, 3), (224, 172, 140), np.uint8)
    model = skin_colour(paint, np.ones((20, 20), bool))
    assert model is not None and model.like(paint).all()
