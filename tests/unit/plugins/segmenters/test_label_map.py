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
from skinfw_plugins.segmenters.label_colors import HUMAN_PARSING, voc_color
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
    """The same colors, but indices that are no class codes."""
    order = np.random.default_rng(1).permutation(len(colors))
    image = Image.fromarray(np.argsort(order).astype(np.uint8)[CODES])
    image.putpalette(colors[order].ravel().tolist())
    return image


def as_foreign_palette() -> Image.Image:
    """Class codes in colors of somebody's own taste."""
    image = Image.fromarray(CODES)
    image.putpalette([int(value) for code in range(18) for value in (255 - code, 13 * code % 256, 77)])
    return image


@pytest.mark.parametrize("write", [as_codes, as_colors, as_palette, as_shuffled_palette])
def test_all_ways_to_write_a_map_give_the_same(photo: Photo, tmp_path: Path, write: Any) -> None:
    write(np.array(LABEL_SETS["atr"].palettes()[0], np.uint8)).save(tmp_path / "a_map.png")
    found = segmenter().segment(photo)
    assert np.array_equal(found.labels, CODES)
    assert np.array_equal(found.region("skin"), np.isin(CODES, [12, 13, 14, 15]))


def test_maps_can_be_moved(photo: Photo, tmp_path: Path) -> None:
    as_codes(None).save(tmp_path / "a_map.png")
    found = segmenter(shift=(-1, 2)).segment(photo)
    assert np.array_equal(found.labels[:-1, 2:], CODES[1:, :-2])


def test_foreign_palettes_are_codes_only_if_the_user_says_so(photo: Photo, tmp_path: Path) -> None:
    as_foreign_palette().save(tmp_path / "a_map.png")
    with pytest.raises(DataError, match="read it with the segmenter label_map and palette_indices true"):
        segmenter().segment(photo)
    assert np.array_equal(segmenter(palette_indices=True).segment(photo).labels, CODES)


@pytest.mark.parametrize("labels", ["lip", "cihp"])
@pytest.mark.parametrize("kind", ["RGB", "P", "quantized"])
def test_human_parsing_colors(photo: Photo, tmp_path: Path, labels: str, kind: str) -> None:
    colored = Image.fromarray(np.array(HUMAN_PARSING, np.uint8)[CODES])
    image = as_palette(np.array(HUMAN_PARSING, np.uint8)) if kind == "P" else colored
    (image.quantize(32) if kind == "quantized" else image).save(tmp_path / "a_map.png")
    assert np.array_equal(segmenter(labels=labels).segment(photo).labels, CODES)
    with pytest.raises(DataError, match="not one of the label set's 18"):
        segmenter(labels="atr").segment(photo)


@pytest.mark.parametrize(
    ("suffix", "advice"), [(".jpg", "its lossy format"), (".png", "choose the map's palette or label set")]
)
def test_strange_colors_are_refused_with_advice(
    photo: Photo, tmp_path: Path, suffix: str, advice: str
) -> None:
    Image.fromarray(np.repeat(CODES[..., None] * np.uint8(9) + np.uint8(90), 3, 2)).save(
        tmp_path / f"a_map{suffix}"
    )
    with pytest.raises(DataError, match=f"nor within 24 of one; {advice}"):
        segmenter(suffix=f"_map{suffix}").segment(photo)


def test_colors_that_stand_for_other_classes_in_another_palette(photo: Photo, tmp_path: Path) -> None:
    # (0, 128, 0) is hair in Pascal VOC's colors, and a skirt in CIHP_PGN's
    colors = np.where(CODES[..., None] > 5, [0, 128, 0], 0).astype(np.uint8)
    Image.fromarray(colors).save(tmp_path / "a_map.png")
    with pytest.raises(DataError, match="different classes in each palette of the label set"):
        segmenter(labels="cihp").segment(photo)
    indexed = Image.fromarray(np.where(CODES > 5, 2, 0).astype(np.uint8))
    indexed.putpalette([value for code in range(20) for value in voc_color(code)])
    indexed.save(tmp_path / "a_map.png")
    assert np.array_equal(segmenter(labels="cihp").segment(photo).labels == 2, CODES > 5)


@pytest.mark.parametrize("write", ["ramp", "three channels", "16 bit", "Pascal VOC"])
@pytest.mark.parametrize("labels", ["atr", "ccp"])
def test_codes_in_other_clothes(photo: Photo, tmp_path: Path, write: str, labels: str) -> None:
    image = {
        "ramp": Image.fromarray(CODES).convert("P"),
        "three channels": Image.fromarray(CODES).convert("RGB"),
        "16 bit": Image.fromarray(CODES.astype(np.uint16)),
        "Pascal VOC": as_palette(np.array([voc_color(code) for code in range(256)], np.uint8)),
    }[write]
    image.save(tmp_path / "a_map.png")
    assert np.array_equal(segmenter(labels=labels).segment(photo).labels, CODES)


@pytest.mark.parametrize("name", ["a_map.png", "a_map.gif"])
@pytest.mark.parametrize("method", [Image.Quantize.MEDIANCUT, Image.Quantize.FASTOCTREE])
@pytest.mark.parametrize("of", ["codes", "colors", "foreign colors"])
def test_what_quantizing_makes_is_right_or_rejected(
    photo: Photo, tmp_path: Path, name: str, method: Image.Quantize, of: str
) -> None:
    image = {
        "codes": as_codes,
        "colors": lambda _: as_colors(np.array(LABEL_SETS["atr"].palettes()[0], np.uint8)),
        "foreign colors": lambda _: as_foreign_palette().convert("RGB"),
    }[of](None)
    image.convert("RGB").quantize(64, method).save(tmp_path / name)
    try:
        found = segmenter(suffix=name.removeprefix("a")).segment(photo).labels
    except DataError as error:
        assert of != "colors" or method == Image.Quantize.FASTOCTREE, error
    else:
        assert np.array_equal(found, CODES)


@pytest.mark.parametrize("quality", [75, 100])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_codes_in_a_jpeg(photo: Photo, tmp_path: Path, quality: int, mode: str) -> None:
    (Image.fromarray(CODES).convert(mode)).save(tmp_path / "a_map.jpg", quality=quality)
    with pytest.raises(DataError, match="class codes in a lossy format"):
        segmenter(suffix="_map.jpg").segment(photo)


def test_codes_in_one_channel_are_no_colors(tmp_path: Path) -> None:
    blocks = np.kron(np.arange(12, dtype=np.uint8).reshape(4, 3), np.ones((8, 8), np.uint8))
    Image.new("RGB", blocks.shape[::-1]).save(tmp_path / "a.jpg")
    for channel in range(3):
        pixels = np.zeros((*blocks.shape, 3), np.uint8)
        pixels[..., channel] = blocks
        Image.fromarray(pixels).save(tmp_path / "a_map.png")
        with pytest.raises(DataError, match=r"an area around x=10, y=2 has the color .*1"):
            segmenter().segment(Photo.read(tmp_path / "a.jpg"))


def transparent(image: Image.Image, hidden: tuple[int, int, int]) -> Image.Image:
    """Return a map whose background is transparent, with another color below."""
    pixels = np.dstack([np.asarray(image.convert("RGB")), np.where(CODES == 0, 0, 255).astype(np.uint8)])
    pixels[CODES == 0, :3] = hidden
    return Image.fromarray(pixels)


@pytest.mark.parametrize("hidden", [(0, 0, 0), (255, 255, 255), (3, 200, 90)])
@pytest.mark.parametrize("labels", ["atr", "cihp", "deepfashion"])
def test_transparent_pixels_are_background(
    photo: Photo, tmp_path: Path, labels: str, hidden: tuple[int, int, int]
) -> None:
    codes = CODES % 16
    colors = np.array(
        next(found for name, found in LABEL_SETS.items() if name == labels).palettes()[-1], np.uint8
    )
    transparent(Image.fromarray(colors[codes]), hidden).save(tmp_path / "a_map.png")
    assert np.array_equal(segmenter(labels=labels).segment(photo).labels, np.where(CODES == 0, 0, codes))


def test_transparent_pixels_of_a_class_are_rejected(photo: Photo, tmp_path: Path) -> None:
    colors = np.array(LABEL_SETS["atr"].palettes()[0], np.uint8)
    transparent(as_colors(colors), (128, 0, 0)).save(tmp_path / "a_map.png")
    with pytest.raises(DataError, match="is transparent and has the class code 1"):
        segmenter().segment(photo)
    as_palette(colors).save(tmp_path / "a_map.png", transparency=5)
    with pytest.raises(DataError, match="is transparent and has the class code 5"):
        segmenter().segment(photo)
    as_palette(colors).save(tmp_path / "a_map.png", transparency=0)
    assert np.array_equal(segmenter().segment(photo).labels, CODES)


def test_transparent_pixels_of_a_set_without_background(photo: Photo, tmp_path: Path) -> None:
    Image.new("LA", (9, 12)).save(tmp_path / "a_map.png")
    with pytest.raises(DataError, match="the label set has no background"):
        segmenter(labels={"classes": ["arm"], "regions": {"skin": ["arm"]}}).segment(photo)


def test_deepfashion_reads_codes_and_colors_alike(photo: Photo, tmp_path: Path) -> None:
    colors = np.array(LABEL_SETS["deepfashion"].palettes()[0], np.uint8)
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


def test_a_map_may_have_its_suffix_in_the_other_case_but_is_not_the_photo(tmp_path: Path) -> None:
    reader = segmenter(suffix=".png")
    (tmp_path / "a.PNG").touch()
    assert reader.sources(tmp_path / "a.jpg") == (tmp_path / "a.PNG",)
    assert reader.sources(tmp_path / "a.PNG") == (tmp_path / "a.png",)
    (tmp_path / "a.png").touch()
    assert reader.sources(tmp_path / "a.jpg") == (tmp_path / "a.png",)


def test_a_missing_map(photo: Photo) -> None:
    with pytest.raises(DataError, match=r"a_map\.png: the label map of a\.jpg is missing"):
        segmenter().segment(photo)


def test_a_photo_in_memory_has_no_map() -> None:
    with pytest.raises(DataError, match="a photo on disk"):
        segmenter().segment(Photo(np.zeros((4, 4, 3), np.uint8)))


def test_a_named_file_is_read_like_the_one_beside_the_photo(tmp_path: Path, photo: Photo) -> None:
    as_codes(None).save(tmp_path / "elsewhere.png")
    found = segmenter().read(tmp_path / "elsewhere.png", Photo(photo.pixels))
    assert (found.labels == CODES).all()
    Image.fromarray(np.full((12, 9, 3), (144, 238, 144), np.uint8)).save(tmp_path / "colors.png")
    skin = DeepfashionSegmenter(DeepfashionConfig(), None).read(tmp_path / "colors.png", Photo(photo.pixels))
    assert skin.region("skin").all()
    with pytest.raises(DataError, match=r"no\.png"):
        segmenter().read(tmp_path / "no.png", photo)
