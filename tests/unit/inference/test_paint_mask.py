from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skinfw.data.photo import Photo
from skinfw.errors import DataError
from skinfw.inference.paint_mask import parse_color, person_of_mask, read_paint_mask
from skinfw.inference.source_photo import SourcePhoto

SIZE = (72, 80)


@pytest.fixture
def source() -> SourcePhoto:
    pixels = np.random.default_rng(0).integers(0, 250, (*SIZE, 3), np.uint8)
    return SourcePhoto(Photo(pixels), pixels, None, None)


def block() -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[20:40, 30:50] = True
    return mask


def layers(colors: np.ndarray, alpha: np.ndarray) -> Image.Image:
    return Image.fromarray(np.dstack([colors, alpha.astype(np.uint8) * 255]))


def white_on_black() -> Image.Image:
    return Image.fromarray(block().astype(np.uint8) * 255)


def white_on_transparent() -> Image.Image:
    return layers(np.full((*SIZE, 3), 255, np.uint8), block())


def photo_with_a_transparent_hole() -> Image.Image:
    return layers(np.random.default_rng(1).integers(0, 256, (*SIZE, 3), np.uint8), ~block())


@pytest.mark.parametrize(
    "image",
    [
        white_on_black(),
        white_on_black().convert("1"),
        white_on_black().convert("RGB"),
        white_on_transparent(),
        photo_with_a_transparent_hole(),
    ],
    ids=["gray", "bits", "color", "layer", "hole"],
)
def test_white_or_transparent_is_painted(source: SourcePhoto, image: Image.Image, tmp_path: Path) -> None:
    image.save(tmp_path / "mask.png")
    assert np.array_equal(read_paint_mask(tmp_path / "mask.png", source), block())
    assert np.array_equal(read_paint_mask(image, source), block())


def test_arrays_of_numbers_and_of_truth_values(source: SourcePhoto) -> None:
    assert np.array_equal(read_paint_mask(block(), source), block())
    assert np.array_equal(read_paint_mask(block().astype(np.uint8) * 255, source), block())
    assert np.array_equal(read_paint_mask(block().astype(np.uint8), source), block())


def test_another_color_can_mark_what_is_painted(source: SourcePhoto) -> None:
    image = np.where(block()[..., None], np.uint8([127, 127, 127]), np.uint8([0, 0, 0]))
    with pytest.raises(DataError, match="gray"):
        read_paint_mask(image, source)
    assert np.array_equal(read_paint_mask(image, source, (127, 127, 127)), block())
    with pytest.raises(DataError, match="nothing in it is of the color 1,200,3"):
        read_paint_mask(image, source, (1, 200, 3))


def test_empty_masks_and_masks_of_another_size_are_errors(source: SourcePhoto) -> None:
    with pytest.raises(DataError, match="the mask is empty: nothing in it is white or transparent"):
        read_paint_mask(np.zeros(SIZE, bool), source)
    with pytest.raises(DataError, match="the image: the mask is empty"):
        read_paint_mask(np.zeros(SIZE, np.uint8), source)
    with pytest.raises(DataError, match=r"36x40 pixels .* but the photo has 72x80"):
        read_paint_mask(block()[::2, ::2], source)
    with pytest.raises(DataError, match="an array of float64"):
        read_paint_mask(np.zeros(SIZE), source)


def test_other_people_beside_the_masked_one_do_not_count() -> None:
    person = np.zeros((60, 60), bool)
    person[5:55, 5:20] = person[5:55, 35:55] = True
    person[56:58, 8:12] = True  # a foot of the first one
    mask = np.zeros_like(person)
    mask[30:40, 18:22] = True
    found = person_of_mask(person, mask)
    assert found[30, 10]
    assert found[57, 10]
    assert not found[:, 30:].any()


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("gray", (128, 128, 128)), ("White", (255, 255, 255)), (" lime ", (0, 255, 0)),
        ("rebeccapurple", (102, 51, 153)), ("#7f7f7f", (127, 127, 127)), ("00ff7F", (0, 255, 127)),
        ("#fff", (255, 255, 255)), ("1, 2,3", (1, 2, 3)), ("rgb(4,5,6)", (4, 5, 6)),
    ],
)  # fmt: skip
def test_a_color_is_a_name_or_numbers(text: str, color: tuple[int, int, int]) -> None:
    assert parse_color(text) == color


def test_the_nearest_color_is_suggested() -> None:
    with pytest.raises(DataError) as error:
        parse_color("Grayy")
    assert str(error.value) == (
        "'Grayy' is not a color; did you mean 'gray'? (known: names such as gray, #rrggbb, and r,g,b with 0 "
        "to 255)"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#12345",
        "1,2",
        "1,2,300",
        "rgb(1,2,300)",
        "1,2,3,4",
        "#7f7f7f80",
        "transparent",
        "1_0,2,3",
        "\u0661,2,3",
    ],
)
def test_what_is_not_a_color_is_an_error(text: str) -> None:
    with pytest.raises(DataError, match="is not a color"):
        parse_color(text)
