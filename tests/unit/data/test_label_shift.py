"""How far label maps are off their photos."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, shift
from skimage.draw import ellipse

from skinfw.data.label_shift import MAX_SHIFT, EdgeStrength, edge_strength, label_shift
from skinfw.data.segmentation import Mask, RgbImage


def photo(seed: int) -> tuple[RgbImage, Mask]:
    """A person, brighter than a noisy background, and where they are."""
    noise = np.random.default_rng(seed)
    person = np.zeros((80, 60), bool)
    person[ellipse(40, 30, 25 + seed % 3, 12 + seed % 4)] = True
    levels = 60 + 90.0 * person[..., None] + noise.normal(0, 20, (*person.shape, 3))
    return levels.clip(0, 255).astype(np.uint8), person


def moved(person: Mask, down: int, right: int) -> Mask:
    there: Mask = shift(person, (down, right), order=0)
    return there


def measured(down: int, right: int, count: int = 10) -> list[EdgeStrength]:
    found = []
    for seed in range(count):
        pixels, person = photo(seed)
        found.append(edge_strength(pixels, moved(person, down, right)))
    return found


@pytest.mark.parametrize("off", [(0, 0), (1, 0), (0, -2), (3, 1), (-MAX_SHIFT, 0), (0, MAX_SHIFT)])
def test_label_maps_are_moved_back_to_where_the_photos_show_people(off: tuple[int, int]) -> None:
    assert label_shift(measured(*off)) == (-off[0], -off[1])


def test_outlines_that_are_too_wide_are_not_moved() -> None:
    found = []
    for seed in range(10):
        pixels, person = photo(seed)
        found.append(edge_strength(pixels, binary_dilation(person, iterations=2)))
    assert label_shift(found) == (0, 0)


def test_label_maps_of_which_some_are_aligned_are_not_moved() -> None:
    assert label_shift([*measured(2, 0), *measured(0, 0, 1)]) == (-2, 0)
    assert label_shift([*measured(2, 0), *measured(0, 0, 2)]) == (0, 0)
    assert label_shift([*measured(2, 0), *measured(0, 0)]) == (0, 0)


def test_a_shift_beyond_the_maximum_is_not_found() -> None:
    for off in (MAX_SHIFT + 1, MAX_SHIFT + 2):
        assert label_shift(measured(off, 0)) == (0, 0)


def test_photos_without_edges_move_nothing() -> None:
    _, person = photo(0)
    flat = np.full((80, 60, 3), 90, np.uint8)
    assert label_shift([edge_strength(flat, person)] * 10) == (0, 0)
    assert label_shift([]) == (0, 0)


def test_a_photo_without_an_outline_is_left_out() -> None:
    pixels, person = photo(0)
    nobody = edge_strength(pixels, np.zeros_like(person))
    assert np.isnan(nobody.down).all() and np.isnan(nobody.right).all()
    cut_off = person.copy()
    cut_off[:40] = True  # no upper outline
    found = edge_strength(pixels, cut_off)
    assert np.isnan(found.down[0]).all() and np.isfinite(found.right).all()
    assert label_shift([*measured(2, 1), nobody, found]) == (-2, -1)


def test_the_strength_is_the_mean_gradient() -> None:
    pixels = np.zeros((34, 34, 3), np.uint8)
    pixels[10:20, 10:20] = 100
    person = np.zeros((34, 34), bool)
    person[12:20, 10:20] = True  # two pixels too low above
    found = edge_strength(pixels, person)
    assert found.down[0].tolist() == [0, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0]
    assert found.down[1].tolist() == [0, 0, 0, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0]
    assert found.right[0].tolist() == [0, 0, 0, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0]
