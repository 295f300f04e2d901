from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from skinfw.evaluation.error_map import ERROR_FULL, error_image, error_legend
from skinfw.reporting.data_uri import png_uri


def gray(level: int) -> np.ndarray:
    return np.full((1, 1, 3), level, np.uint8)


def brightness(error: int) -> int:
    return int(error_image(gray(100 + error), gray(100)).sum())


def test_errors_grow_from_black_to_light_on_a_fixed_scale() -> None:
    shades = [brightness(error) for error in (0, 8, 16, 32, 48, ERROR_FULL)]
    assert shades == sorted(set(shades))
    assert error_image(gray(7), gray(7)).max() < 8
    assert brightness(ERROR_FULL) == brightness(ERROR_FULL + 50)


def test_the_error_is_the_mean_over_the_channels_of_either_sign() -> None:
    red = np.array([[[130, 100, 100]]], np.uint8)
    assert np.array_equal(error_image(red, gray(100)), error_image(gray(110), gray(100)))
    assert np.array_equal(error_image(gray(90), gray(100)), error_image(gray(110), gray(100)))


def test_the_legend_has_the_colors_of_the_ends() -> None:
    for error in (0, ERROR_FULL):
        color = "#" + bytes(error_image(gray(error), gray(0))[0, 0]).hex()
        assert color in error_legend()


def test_images_in_the_page_are_lossless() -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 4, 3), np.uint8)
    head, _, body = png_uri(image).partition(",")
    assert head == "data:image/png;base64"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(body)))), image)
