"""Masks in every encoding are read right, or rejected with the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageFilter

from skinfw.data.mask_file import read_mask
from skinfw.errors import DataError

MASK = np.zeros((60, 40), bool)
MASK[20:40, 10:18] = True
MASK[30:50, 24:30] = True
GRAY = MASK.astype(np.uint8) * np.uint8(255)


def rgba(colors: np.ndarray, alpha: np.ndarray) -> Image.Image:
    return Image.fromarray(np.dstack([np.broadcast_to(colors, (60, 40, 3)), alpha]).astype(np.uint8))


def palette(*colors: tuple[int, int, int]) -> Image.Image:
    image = Image.fromarray(MASK.astype(np.uint8))
    image.putpalette([value for color in colors for value in color])
    return image


def la(gray: np.ndarray, alpha: np.ndarray) -> Image.Image:
    return Image.merge(
        "LA", [Image.fromarray(np.broadcast_to(gray, (60, 40)).copy()), Image.fromarray(alpha)]
    )


WHITE, BLACK = np.full((60, 40, 3), 255), np.zeros((60, 40, 3))
THREE = np.repeat(GRAY[..., None], 3, axis=2)

READ: dict[str, tuple[Image.Image, dict[str, object]]] = {
    "gray": (Image.fromarray(GRAY), {}),
    "one bit": (Image.fromarray(MASK), {}),
    "zero and one": (Image.fromarray(MASK.astype(np.uint8)), {}),
    "all ones": (Image.fromarray(np.ones((60, 40), np.uint8)), {}),
    "16 bit": (Image.fromarray(MASK.astype(np.uint16) * 65535), {}),
    "16 bit, 0 and 255": (Image.fromarray(MASK.astype(np.uint16) * 255), {}),
    "16 bit, 0 and 1": (Image.fromarray(MASK.astype(np.uint16)), {}),
    "white on transparent": (rgba(WHITE, GRAY), {}),
    "white on transparent, black below": (rgba(THREE, GRAY), {}),
    "gray and alpha": (la(np.uint8([[255]]), GRAY), {}),
    "transparent color": (palette((0, 0, 0), (255, 255, 255)), {"transparency": 0}),
    "white palette with a transparent entry": (
        palette((255, 255, 255), (255, 255, 255)),
        {"transparency": 0},
    ),
    "opaque": (rgba(THREE, np.full((60, 40), 255)), {}),
    "white and black on transparent": (
        rgba(THREE, np.where(np.arange(60)[:, None] > 4, 255, 0) + 0 * GRAY),
        {},
    ),
    "palette": (palette((0, 0, 0), (255, 255, 255)), {}),
    "palette of 0 and 1": (Image.fromarray(MASK.astype(np.uint8)).convert("P"), {}),
    "inverted palette": (Image.eval(Image.fromarray(MASK.astype(np.uint8)), lambda value: 1 - value), {}),
}
READ["inverted palette"][0].putpalette([255, 255, 255, 0, 0, 0])


@pytest.mark.parametrize("case", READ)
def test_read_right(tmp_path: Path, case: str) -> None:
    image, options = READ[case]
    image.save(tmp_path / "a.png", **options)  # type: ignore[arg-type]  # options differ
    expected = np.ones_like(MASK) if case == "all ones" else MASK
    assert np.array_equal(read_mask(tmp_path / "a.png"), expected)


@pytest.mark.parametrize("name", ["a.bmp", "a.gif", "a.tif", "a.webp"])
def test_read_right_in_other_formats(tmp_path: Path, name: str) -> None:
    Image.fromarray(GRAY).save(tmp_path / name, **({"lossless": True} if name == "a.webp" else {}))
    assert np.array_equal(read_mask(tmp_path / name), MASK)


@pytest.mark.parametrize("white_is_zero", [False, True])
def test_bilevel_tiff_of_either_polarity(tmp_path: Path, white_is_zero: bool) -> None:
    stored = ~MASK if white_is_zero else MASK
    kind = "miniswhite" if white_is_zero else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric=kind)
    assert np.array_equal(read_mask(tmp_path / "a.tif"), MASK)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.int32])
@pytest.mark.parametrize("peak", [1, 255])
def test_numbers_that_are_black_and_white(tmp_path: Path, dtype: type, peak: int) -> None:
    tifffile.imwrite(tmp_path / "a.tif", MASK.astype(dtype) * dtype(peak))
    assert np.array_equal(read_mask(tmp_path / "a.tif"), MASK)


@pytest.mark.parametrize("quality", [30, 60, 92])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg_noise(tmp_path: Path, quality: int, mode: str) -> None:
    Image.fromarray(GRAY).resize((400, 600), Image.Resampling.NEAREST).convert(mode).save(
        tmp_path / "a.jpg", quality=quality
    )
    found = read_mask(tmp_path / "a.jpg")
    assert (
        found == cv2.resize(GRAY, (400, 600), interpolation=cv2.INTER_NEAREST).astype(bool)
    ).mean() > 0.999


def test_anti_aliased_edges(tmp_path: Path) -> None:
    large = Image.fromarray(GRAY).resize((400, 600), Image.Resampling.NEAREST)
    large.filter(ImageFilter.GaussianBlur(1)).save(tmp_path / "a.png")
    assert (read_mask(tmp_path / "a.png") == (np.asarray(large) > 0)).mean() > 0.999


def drawn(value: int, also: int | None = None) -> np.ndarray:
    values = np.where(MASK, value, 0).astype(np.uint8)
    if also is not None:
        values[5:15, 5:15] = also
    return values


def band(values: np.ndarray, width: int) -> np.ndarray:
    """A trimap: an unknown region along the edges."""
    around = cv2.dilate(values, np.ones((2 * width + 1, 2 * width + 1), np.uint8))
    return np.where(around > values, 128, values).astype(np.uint8)


REJECTED: dict[str, tuple[Callable[[], Image.Image], str]] = {
    "black on transparent": (lambda: rgba(BLACK, GRAY), "black where it is opaque"),
    "transparent hole in black": (lambda: rgba(THREE, 255 - GRAY), "black where it is opaque"),
    "transparent hole in white": (lambda: rgba(WHITE, 255 - GRAY), "white with a transparent hole"),
    "fully transparent": (lambda: rgba(WHITE, 0 * GRAY), "fully transparent"),
    "a color": (
        lambda: palette((0, 0, 0), (128, 0, 0)),
        "the pixel x=10, y=20 has the color 128,0,0; a mask is white where it is set and black elsewhere",
    ),
    "colors on white": (lambda: rgba(np.uint8([255, 30, 30]), GRAY), "has the color 255,30,30"),
    "a class code": (lambda: Image.fromarray(drawn(13)), r"an area around x=\d+, y=\d+ is gray \(13\)"),
    "gray": (lambda: Image.fromarray(drawn(128)), r"is gray \(128\)"),
    "light gray": (lambda: Image.fromarray(drawn(200)), r"is gray \(200\)"),
    "a second, gray area": (lambda: Image.fromarray(drawn(255, 50)), r"x=7, y=7 is gray \(50\)"),
    "a gray background": (lambda: Image.fromarray(np.maximum(GRAY, 90)), r"is gray \(90\)"),
    "a narrow gray band": (lambda: Image.fromarray(band(GRAY, 4)), r"is gray \(128\)"),
    "dithered gray": (
        lambda: Image.fromarray(drawn(128)).resize((64, 96)).convert("1"),
        "pixels are isolated, as in dithered gray",
    ),
    "dithered class codes": (
        lambda: Image.fromarray(drawn(40)).resize((128, 192)).convert("1"),
        "as in dithered gray",
    ),
    "feathered": (
        lambda: Image.fromarray(GRAY).resize((400, 600)).filter(ImageFilter.GaussianBlur(12)),
        "is gray",
    ),
    "small and gray": (
        lambda: Image.fromarray(np.pad(np.full((2, 2), 90, np.uint8), 20)),
        "nothing in it is white",
    ),
    "16 bit levels": (
        lambda: Image.fromarray(MASK.astype(np.uint16) * 300),
        "a mask of 16 bits with the values 0, 300",
    ),
}


@pytest.mark.parametrize("case", REJECTED)
def test_rejected_with_the_reason(tmp_path: Path, case: str) -> None:
    image, reason = REJECTED[case]
    image().save(tmp_path / "a.png")
    with pytest.raises(DataError, match=rf"a\.png: .*{reason}"):
        read_mask(tmp_path / "a.png")


def test_codes_in_a_jpeg_are_no_mask(tmp_path: Path) -> None:
    Image.fromarray(MASK.astype(np.uint8)).save(tmp_path / "a.jpg", quality=95)
    with pytest.raises(DataError, match="nothing in it is white"):
        read_mask(tmp_path / "a.jpg")


@pytest.mark.parametrize("mode", ["CMYK", "LAB", "YCbCr"])
def test_color_spaces_that_no_mask_has(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (8, 8)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match=f"a mask of mode {mode}"):
        read_mask(tmp_path / "a.tif")


def test_black_everywhere_is_an_empty_mask(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg"):
        Image.new("L", (40, 60)).save(tmp_path / name)
        assert not read_mask(tmp_path / name).any()
