from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from real_files import PHOTOS, needs_photos

from skinfw.data.photo import Photo
from skinfw.data.segmentation import REGIONS as REGION_NAMES
from skinfw.data.segmentation import Segmentation
from skinfw.errors import DataError
from skinfw_plugins.datasets.mannequin import CLASSES as DRAWN_CLASSES
from skinfw_plugins.datasets.mannequin import draw_person
from skinfw_plugins.segmenters.config import DeepfashionConfig
from skinfw_plugins.segmenters.deepfashion import DeepfashionSegmenter
from skinfw_plugins.segmenters.deepfashion_classes import CLASSES, PALETTES, REGIONS

PhotoWriter = Callable[..., Path]


def segmenter(**settings: Any) -> DeepfashionSegmenter:
    return DeepfashionSegmenter(DeepfashionConfig(**settings), None)


def write_map(folder: Path, colors: Any, size: tuple[int, int] | None = None) -> Photo:
    """Write a label map and a plain photo beside it."""
    values = np.array(colors, np.uint8)
    height, width = size or values.shape[:2]
    Image.new("RGB", (width, height)).save(folder / "a.png")
    Image.fromarray(values).save(folder / "a_segment.png")
    return Photo.read(folder / "a.png")


# the two published tables, name by name
TABLE = """
0,0,0 background background
255,250,250 top top
250,235,215 skirt skirt
70,130,180 leggings leggings
144,238,144 skin skin
16,78,139 face dress
255,250,205 dress outer
255,140,0 bag pants
50,205,50 neckwear bag
220,220,220 outer neckwear
255,0,0 hair headwear
127,255,212 headwear eyeglass
0,100,0 eyeglass belt
255,255,0 belt footwear
211,211,211 pants hair
245,222,179 footwear face
"""


@pytest.mark.parametrize(("palette", "column"), [("files", 1), ("mmfashion", 2)])
def test_palettes(tmp_path: Path, palette: str, column: int) -> None:
    rows = [line.split() for line in TABLE.split("\n") if line]
    photo = write_map(tmp_path, [[[int(value) for value in row[0].split(",")] for row in rows]])
    found = segmenter(palette=palette).segment(photo)
    assert [found.classes[label] for label in found.labels[0]] == [row[column] for row in rows]


def test_regions_hold_every_class_once() -> None:
    assert set(REGIONS) == set(REGION_NAMES)
    assert sorted(name for names in REGIONS.values() for name in names) == sorted(CLASSES)
    assert set(REGIONS["head"]) == {"hair", "face", "headwear", "eyeglass"}
    assert REGIONS["feet"] == ("footwear",) and REGIONS["skin"] == ("skin",)
    assert "neckwear" in REGIONS["apparel"]


def test_a_drawn_person(tmp_path: Path, write_photo: PhotoWriter) -> None:
    found = segmenter().segment(Photo.read(write_photo(tmp_path / "01_1_front.png")))
    labels = draw_person(0, (96, 64)).labels
    for name in DRAWN_CLASSES:
        assert np.array_equal(found.of_classes(name), labels == DRAWN_CLASSES.index(name))


@pytest.mark.parametrize("mode", ["P", "RGB", "RGBA"])
def test_modes_of_the_file(tmp_path: Path, write_photo: PhotoWriter, mode: str) -> None:
    photo = Photo.read(write_photo(tmp_path / "a.png"))
    expected = segmenter().segment(photo).labels
    path = tmp_path / "a_segment.png"
    image = Image.open(path)
    if mode == "P":
        image = image.quantize(16)
        assert set(map(tuple, np.asarray(image.convert("RGB")).reshape(-1, 3))) <= set(PALETTES["files"])
    image.convert(mode).save(path)
    assert np.array_equal(segmenter().segment(photo).labels, expected)


def test_slightly_wrong_colors_snap(tmp_path: Path) -> None:
    # 10 away from skin in each channel: 17.3 in all; 215 lies nearer to pants (211) than to outer (220)
    photo = write_map(tmp_path, [[[134, 248, 154], [215, 215, 215], [216, 216, 216]]])
    found = segmenter().segment(photo)
    assert [found.classes[label] for label in found.labels[0]] == ["skin", "pants", "outer"]


def test_snapping_agrees_with_a_search_pixel_by_pixel(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    colors = np.array(list(PALETTES["files"]))
    near = np.clip(colors[rng.integers(0, 16, (20, 30))] + rng.integers(-12, 13, (20, 30, 3)), 0, 255)
    found = segmenter().segment(write_map(tmp_path, near))
    for y in range(20):
        for x in range(30):
            distances = ((colors - near[y, x]) ** 2).sum(axis=1)
            assert distances[CLASSES.index(found.classes[found.labels[y, x]])] == distances.min()


def test_a_foreign_color_is_named_with_its_place(tmp_path: Path) -> None:
    colors = np.zeros((5, 7, 3), np.uint8)
    colors[3, 2] = 100, 0, 200
    colors[4, 6] = 100, 0, 201
    photo = write_map(tmp_path, colors)
    with pytest.raises(DataError, match=r"a_segment\.png: the pixel x=2, y=3 has the color 100,0,200"):
        segmenter().segment(photo)


@pytest.mark.parametrize("down", [-2, 0, 3])
@pytest.mark.parametrize("right", [-1, 0, 2])
def test_label_maps_can_be_moved_and_repeat_their_edges(tmp_path: Path, down: int, right: int) -> None:
    colors = np.array(list(PALETTES["files"]), np.uint8)
    photo = write_map(tmp_path, colors[np.random.default_rng(0).integers(0, 16, (6, 5))])
    before = segmenter().segment(photo).labels
    after = segmenter(shift=(down, right)).segment(photo).labels
    for y in range(6):
        for x in range(5):
            assert after[y, x] == before[min(max(y - down, 0), 5), min(max(x - right, 0), 4)]


def test_the_snapping_distance_is_a_setting(tmp_path: Path) -> None:
    photo = write_map(tmp_path, [[[10, 0, 0]]])
    with pytest.raises(DataError, match="within 9"):
        segmenter(snap_distance=9).segment(photo)
    assert segmenter(snap_distance=10).segment(photo).labels.tolist() == [[0]]


def test_missing_label_map(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a_segment\.png: the label map of a\.png is missing"):
        segmenter().segment(Photo.read(tmp_path / "a.png"))


def test_label_map_of_another_size(tmp_path: Path) -> None:
    photo = write_map(tmp_path, np.zeros((8, 6, 3)), size=(16, 12))
    with pytest.raises(DataError, match=r"a_segment\.png: the label map has 8x6 .* 16x12"):
        segmenter().segment(photo)


def test_corrupt_label_map(tmp_path: Path) -> None:
    photo = write_map(tmp_path, np.zeros((8, 6, 3)))
    (tmp_path / "a_segment.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"a_segment\.png: cannot be read: corrupt"):
        segmenter().segment(photo)


def test_a_photo_in_memory_has_no_label_map() -> None:
    with pytest.raises(DataError, match="a photo on disk"):
        segmenter().segment(Photo(np.zeros((4, 4, 3), np.uint8)))


def test_the_suffix_is_a_setting(tmp_path: Path) -> None:
    photo = write_map(tmp_path, [[[144, 238, 144]]])
    (tmp_path / "a_segment.png").rename(tmp_path / "a.labels.png")
    assert segmenter(suffix=".labels.png").segment(photo).region("skin").all()
    assert segmenter(suffix=".labels.png").sources(tmp_path / "a.png") == (tmp_path / "a.labels.png",)


@pytest.mark.parametrize(("palette", "other"), [("files", "mmfashion"), ("mmfashion", "files")])
def test_the_other_palette_is_another_table_for_the_same_labels(
    tmp_path: Path, write_photo: PhotoWriter, palette: str, other: str
) -> None:
    photo = Photo.read(write_photo(tmp_path / "a.png", 0))
    found, right = segmenter(palette=palette).segment(photo), segmenter(palette=other).segment(photo)
    table = segmenter(palette=palette).other_tables()[f'palette "{other}"']
    renamed = Segmentation(found.labels, table.classes, table.regions)
    for name in right.classes:
        assert np.array_equal(renamed.of_classes(name), right.of_classes(name)), name
    # codes that a file holds stay as they are in one palette alone
    assert any("label_map" in name for name in segmenter(palette=palette).other_tables()) == (
        palette == "files"
    )


@needs_photos
def test_real_label_maps(caplog: pytest.LogCaptureFixture) -> None:
    photos = sorted(PHOTOS.rglob("*_front.jpg"))[:10]
    reader = segmenter()
    with caplog.at_level(logging.WARNING, "skinfw"):
        for path in photos:
            found = reader.segment(Photo.read(path))
            assert found.region("skin").any() and found.region("apparel").any()
    assert photos and not caplog.records
