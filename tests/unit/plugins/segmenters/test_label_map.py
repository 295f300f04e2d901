from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from skinfw.data.photo import Photo
from skinfw.errors import DataError
from skinfw_plugins.segmenters.config import DeepfashionConfig, LabelMapConfig
from skinfw_plugins.segmenters.deepfashion import DeepfashionSegmenter
from skinfw_plugins.segmenters.label_map import LabelMapSegmenter
from skinfw_plugins.segmenters.label_sets import LABEL_SETS

CODES = np.random.default_rng(0).integers(0, 18, (12, 9)).astype(np.uint8)


def segmenter(**settings: Any) -> LabelMapSegmenter:
    return LabelMapSegmenter(LabelMapConfig(**{"labels": "atr", "suffix": "_map.png", **settings}), None)


@pytest.fixture
def photo(tmp_path: Path) -> Photo:
    Image.new("RGB", (9, 12)).save(tmp_path / "a.jpg")
    return Photo.read(tmp_path / "a.jpg")


def as_codes(_: Any) -> Image.Image:
    return Image.fromarray(CODES)


def as_colors(colors: np.ndarray) -> Image.Image:
    return Image.fromarray(colors[CODES])


def as_palette(colors: np.ndarray) -> Image.Image:
    image = Image.fromarray(CODES)
    image.putpalette(colors.ravel().tolist())
    return image


def as_shuffled_palette(colors: np.ndarray) -> Image.Image:
    """The same colours, but indices that are no class codes."""
    order = np.random.default_rng(1).permutation(len(colors))
    image = Image.fromarray(np.argsort(order).astype(np.uint8)[CODES])
    image.putpalette(colors[order].ravel().tolist())
    return image


def as_foreign_palette(colors: np.ndarray) -> Image.Image:
    """Class codes in colours of somebody's own taste."""
    image = Image.fromarray(CODES)
    image.putpalette([int(value) for code in range(18) for value in (255 - code, 13 * code % 256, 77)])
    return image


@pytest.mark.parametrize("write", [as_codes, as_colors, as_palette, as_shuffled_palette, as_foreign_palette])
def test_all_ways_to_write_a_map_give_the_same(photo: Photo, tmp_path: Path, write: Any) -> None:
    write(np.array(LABEL_SETS["atr"].colors(), np.uint8)).save(tmp_path / "a_map.png")
    found = segmenter().segment(photo)
    assert np.array_equal(found.labels, CODES)
    assert np.array_equal(found.region("skin"), np.isin(CODES, [12, 13, 14, 15]))


def test_deepfashion_reads_codes_and_colours_alike(photo: Photo, tmp_path: Path) -> None:
    colors = np.array(LABEL_SETS["deepfashion"].colors(), np.uint8)
    codes = CODES % 16
    found = []
    for image in (Image.fromarray(colors[codes]), Image.fromarray(codes)):
        image.save(tmp_path / "a_segment.png")
        found.append(DeepfashionSegmenter(DeepfashionConfig(), None).segment(photo).labels)
    assert np.array_equal(found[0], codes) and np.array_equal(found[1], codes)


def test_a_code_beyond_the_set_is_named_with_its_place(photo: Photo, tmp_path: Path) -> None:
    codes = CODES.copy()
    codes[7, 3] = 18
    Image.fromarray(codes).save(tmp_path / "a_map.png")
    with pytest.raises(DataError, match=r"a_map\.png: the pixel x=3, y=7 has the class code 18,"):
        segmenter().segment(photo)


def test_where_maps_lie(tmp_path: Path) -> None:
    path = tmp_path / "images" / "052012_0.jpg"
    found = segmenter(folder="../label_maps", photo_suffix="_0", suffix="_4.png").sources(path)
    assert [source.resolve() for source in found] == [tmp_path / "label_maps" / "052012_4.png"]
    assert segmenter().sources(path) == (path.with_name("052012_0_map.png"),)
    assert segmenter(photo_suffix="_1").sources(path) == (path.with_name("052012_0_map.png"),)


def test_a_missing_map(photo: Photo) -> None:
    with pytest.raises(DataError, match=r"a_map\.png: the label map of a\.jpg is missing"):
        segmenter().segment(photo)


def test_a_photo_in_memory_has_no_map() -> None:
    with pytest.raises(DataError, match="lies on disk"):
        segmenter().segment(Photo(np.zeros((4, 4, 3), np.uint8)))
