from __future__ import annotations

import cv2
import numpy as np
import pytest

from skinfw.preparation.view import View
from skinfw.runtime.box import Box

RANDOM = np.random.default_rng(0)


def test_the_whole_photo_is_not_distorted() -> None:
    view = View.of_photo((100, 100), (64, 32))
    assert view.shown == Box(0, 0, 100, 100)
    assert view.place == Box(16, 0, 32, 32)
    pixels = RANDOM.integers(0, 200, (100, 100, 3), np.uint8)
    image = view.image(pixels)
    assert (image[:16] == 255).all() and (image[48:] == 255).all()
    expected = cv2.resize(pixels, (32, 32), interpolation=cv2.INTER_AREA)
    assert np.array_equal(image[16:48], expected)


def test_the_person_is_seen_with_a_margin() -> None:
    person = np.zeros((100, 80), bool)
    person[20:60, 30:40] = True  # with 10% of 40 around it: rows 16 to 64, and half as many columns
    view = View.of_person(person, 0.1, (48, 24))
    assert view is not None
    assert view.shown == Box(16, 23, 48, 24)
    assert view.place == Box(0, 0, 48, 24)
    labels = np.where(person, np.uint8(3), np.uint8(1))
    assert np.array_equal(view.labels(labels, 1), labels[16:64, 23:47])


def test_beyond_the_photo_is_background() -> None:
    person = np.zeros((40, 40), bool)
    person[:40, :4] = True
    view = View.of_person(person, 0, (40, 20))
    assert view is not None
    assert view.shown == Box(0, 0, 40, 12)
    assert view.place == Box(0, 8, 40, 12)
    labels = view.labels(np.where(person, np.uint8(3), np.uint8(1)), 7)
    assert (labels[:, :8] == 7).all() and (labels[:, 8:12] == 3).all() and (labels[:, 12:] == 1).all()


def test_nobody_has_no_view() -> None:
    assert View.of_person(np.zeros((10, 10), bool), 0.1, (8, 4)) is None


@pytest.mark.parametrize("photo", [(1, 4000), (4000, 1), (3, 3), (1, 1), (1999, 7)])
def test_a_photo_of_any_shape_has_a_view(photo: tuple[int, int]) -> None:
    view = View.of_photo(photo, (64, 32))
    image = view.image(np.zeros((*photo, 3), np.uint8))
    assert image.shape == (64, 32, 3)
    assert (image == 0).any()
    rows, columns = view.within((16, 8))
    assert 0 <= rows.start < rows.stop <= 16 and 0 <= columns.start < columns.stop <= 8
