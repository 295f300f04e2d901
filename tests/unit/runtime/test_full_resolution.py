from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_erosion, distance_transform_edt

from skinfw.runtime.box import Box
from skinfw.runtime.full_resolution import TILE, TONE_REACH, Steps, paint_full_resolution
from skinfw.runtime.neighborhood import eroded

PLAIN = Steps(weighted=True, matched=False, smoothed=False, texture=False, feather=False)


def scene(size: tuple[int, int] = (128, 64)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a noisy photo, an arm's mask, and the visible part of the arm."""
    photo = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    mask, skin = np.zeros(size, bool), np.zeros(size, bool)
    mask[40:80, 20:40] = True
    skin[80:120, 20:40] = True
    photo[skin] = (200, 150, 120)
    return photo, mask, skin


def paint(
    photo: np.ndarray, mask: np.ndarray, skin: np.ndarray, small: np.ndarray, **options: object
) -> np.ndarray:
    box = Box(0, 0, photo.shape[0], photo.shape[1])
    nothing = np.zeros_like(mask)
    return paint_full_resolution(photo, mask, skin, nothing, small, box, **options).image  # type: ignore[arg-type]


def small_image(color: tuple[int, int, int], size: tuple[int, int] = (32, 16)) -> np.ndarray:
    return np.full((*size, 3), color, np.uint8)


def test_pixels_outside_the_mask_stay_bit_for_bit() -> None:
    photo, mask, skin = scene()
    before = photo.copy()
    made = paint(photo, mask, skin, small_image((9, 99, 199)))
    assert np.array_equal(made[~mask], photo[~mask])
    assert np.array_equal(photo, before)
    assert (made[mask] != photo[mask]).any(axis=1).mean() > 0.9


def test_what_the_network_shows_beside_the_skin_does_not_bleed_in() -> None:
    photo, mask, _ = scene()
    small = small_image((255, 255, 255))
    small[10:20, 5:10] = (180, 130, 100)  # the arm alone
    weighted = paint(photo, mask, np.zeros_like(mask), small, steps=PLAIN)
    assert np.array_equal(np.unique(weighted[mask], axis=0), [[180, 130, 100]])
    bicubic = paint(photo, mask, np.zeros_like(mask), small, steps=replace(PLAIN, weighted=False))
    assert len(np.unique(bicubic[mask], axis=0)) > 1


def test_painted_skin_takes_the_tone_of_the_visible_skin_less_the_farther_it_is() -> None:
    photo, mask, skin = scene()
    small = small_image((150, 100, 90))
    made = paint(photo, mask, skin, small, steps=replace(PLAIN, matched=True))
    far = distance_transform_edt(~skin)[mask]
    for channel, (network, visible) in enumerate(((150, 200), (100, 150), (90, 120))):
        share = (made[mask][:, channel].astype(float) - network) / (visible - network)
        assert np.abs(share - np.exp(-far / 128 / TONE_REACH)).max() < 0.15
        assert share[far < 4].min() > 0.8 and share[far > 35].max() < 0.4
    assert np.abs(paint(photo, mask, skin, small, steps=PLAIN)[mask].astype(int) - (150, 100, 90)).max() <= 1


def test_the_pattern_of_a_transposed_convolution_is_smoothed_away() -> None:
    photo, mask, skin = scene()
    board = np.indices((32, 16)).sum(axis=0) % 2
    small = small_image((150, 110, 90)) + (20 * board[..., None]).astype(np.uint8)
    patterned = paint(photo, mask, skin, small, steps=PLAIN)[mask].astype(int)
    smooth = paint(photo, mask, skin, small, steps=replace(PLAIN, smoothed=True))[mask].astype(int)
    assert np.ptp(patterned, axis=0).min() > 15
    assert np.abs(smooth - (160, 120, 100)).max() <= 1


def test_an_image_that_is_not_enlarged_is_not_smoothed() -> None:
    photo, mask, skin = scene()
    small = np.random.default_rng(1).integers(100, 200, photo.shape, np.uint8)
    options = [replace(PLAIN, smoothed=smoothed) for smoothed in (False, True)]
    plain, smooth = (paint(photo, mask, skin, small, steps=steps) for steps in options)
    assert np.array_equal(plain, smooth)


def test_the_border_is_soft_inside_the_mask_and_shows_nothing_of_what_was_under_it() -> None:
    photo = np.full((128, 64, 3), 40, np.uint8)
    mask = scene()[1]
    photo[mask] = (0, 255, 0)  # the old sleeve
    made = paint(
        photo, mask, np.zeros_like(mask), small_image((200, 200, 200)), steps=replace(PLAIN, feather=True)
    )
    assert np.array_equal(made[..., 0], made[..., 1])  # no green
    levels = made[60, 20:40, 0].astype(int)
    assert 40 < levels[0] < 200
    assert levels[10] == 200
    assert (np.diff(levels[:10]) >= 0).all()


def test_the_border_is_not_blended_with_transparent_pixels() -> None:
    photo = np.full((128, 64, 3), 255, np.uint8)
    mask, nothing = scene()[1], np.zeros((128, 64), bool)
    shown = np.zeros_like(mask)
    shown[:, 40:] = True  # beside the right border of the mask
    photo[shown] = 0
    made = paint(
        photo, mask, nothing, small_image((200, 120, 90)), steps=replace(PLAIN, feather=True), shown=shown
    )
    assert np.array_equal(made[60, 20:36], np.full((16, 3), (200, 120, 90)))
    assert made[60, 39, 0] < 200


def test_the_result_does_not_depend_on_the_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    photo, mask, skin = scene()
    small = np.random.default_rng(3).integers(100, 200, (32, 16, 3), np.uint8)
    whole = paint(photo, mask, skin, small)
    monkeypatch.setattr("skinfw.runtime.full_resolution.TILE", 16)
    assert np.abs(paint(photo, mask, skin, small).astype(int) - whole).max() <= 1
    assert TILE > 128


def test_a_box_beyond_the_photo_is_placed_right() -> None:
    photo, mask, _ = scene()
    small = np.zeros((40, 40, 3), np.uint8)
    small[..., 0] = np.arange(40)[:, None] * 5
    result = paint_full_resolution(
        photo, mask, np.zeros_like(mask), np.zeros_like(mask), small, Box(-30, -50, 160, 160), steps=PLAIN
    )
    assert result.scale == 4
    rows = np.arange(40, 80)
    expected = ((rows + 30 + 0.5) / 4 - 0.5) * 5
    np.testing.assert_allclose(result.image[48:72, 30, 0], expected[8:-8], atol=2)


def test_erosion_equals_scipys() -> None:
    mask = np.random.default_rng(0).random((20, 30)) < 0.9
    for margin in (1, 2):
        square = np.ones((2 * margin + 1,) * 2, bool)
        assert np.array_equal(eroded(mask, margin), binary_erosion(mask, square, border_value=1))


def test_it_needs_neither_torch_nor_opencv() -> None:
    code = (
        "import sys, skinfw.runtime.full_resolution; "
        "print([name for name in ('torch', 'cv2', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
