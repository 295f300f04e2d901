from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from skimage.measure import block_reduce

from skinfw.data.resize import resize_cutout, resize_image, resize_labels, resize_mask

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (24, 16, 3), np.uint8)
MASK = RNG.random((24, 16)) < 0.5


def test_images_are_averaged_down() -> None:
    expected = block_reduce(IMAGE.astype(float), (4, 2, 1), np.mean)
    found = resize_image(IMAGE, (6, 8))
    assert found.dtype == np.uint8
    assert np.abs(found - expected).max() <= 0.5 + 1e-9


def test_images_grow_without_new_extremes() -> None:
    found = resize_image(IMAGE, (50, 33))
    assert found.shape == (50, 33, 3)
    assert found.min() >= IMAGE.min() and found.max() <= IMAGE.max()


@pytest.mark.parametrize("size", [(8, 40), (60, 4), (12, 17), (25, 8)])
def test_each_axis_has_its_own_filter(size: tuple[int, int]) -> None:
    """Pillow's box filter is the mean over the area, its bilinear filter linear where an image grows."""
    height, width = size
    box, linear = Image.Resampling.BOX, Image.Resampling.BILINEAR
    for channel in range(3):
        image = Image.fromarray(IMAGE[..., channel].astype(np.float32), "F")
        across = image.resize((width, 24), box if width < 16 else linear)
        expected = np.asarray(across.resize((width, height), box if height < 24 else linear))
        assert np.abs(resize_image(IMAGE, size)[..., channel] - expected).max() <= 0.5 + 1e-3


def test_fine_stripes_do_not_alias_where_the_other_axis_grows() -> None:
    stripes = np.zeros((8, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    found = resize_image(stripes, (16, 16))
    assert np.abs(found.astype(float) - 127.5).max() <= 1
    mask = stripes[..., 0] > 0
    assert not resize_cutout(stripes, mask, (16, 16))[1].any()  # half a pixel each is not more than half


def test_same_size_is_left_alone() -> None:
    assert resize_image(IMAGE, (24, 16)) is IMAGE
    assert resize_mask(MASK, (24, 16)) is MASK


def test_a_mask_is_set_where_half_of_a_pixel_is_covered() -> None:
    expected = block_reduce(MASK.astype(float), (4, 2), np.mean) >= 0.5
    found = resize_mask(MASK, (6, 8))
    assert found.dtype == np.bool_
    assert np.array_equal(found, expected)


def test_labels_stay_known() -> None:
    labels = RNG.choice(np.array([0, 7, 200], np.uint8), (24, 16))
    found = resize_labels(labels, (9, 5))
    assert found.shape == (9, 5)
    assert set(np.unique(found)) <= {0, 7, 200}


def test_a_cutout_is_the_mean_of_its_kept_pixels() -> None:
    image, kept = resize_cutout(IMAGE, MASK, (6, 8))
    fraction = block_reduce(MASK.astype(float), (4, 2), np.mean)
    total = block_reduce(IMAGE * MASK[..., None].astype(float), (4, 2, 1), np.mean)
    assert np.array_equal(kept, fraction > 0.5)
    expected = total[kept] / fraction[kept][:, None]
    assert np.abs(image[kept] - expected).max() <= 0.51
    rest = block_reduce(IMAGE * ~MASK[..., None].astype(bool), (4, 2, 1), np.mean)
    expected = rest[~kept] / (1 - fraction[~kept])[:, None]
    assert np.abs(image[~kept] - expected).max() <= 0.51


@pytest.mark.parametrize("size", [(7, 5), (24, 16), (60, 40), (10, 40)])
@pytest.mark.parametrize("surrounding", [200, 255])
def test_neither_side_of_a_cutout_bleeds_into_the_other(size: tuple[int, int], surrounding: int) -> None:
    image = np.where(MASK[..., None], np.uint8(10), np.full((24, 16, 3), surrounding, np.uint8))
    resized, kept = resize_cutout(image, MASK, size)
    assert kept.any()
    assert (resized[kept] == 10).all()
    assert (resized[~kept] == surrounding).all()
