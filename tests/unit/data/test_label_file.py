"""The values of label maps come exactly as they are stored, or not at all."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from skinfw.data.label_file import read_label_image, read_labels, sample_palette
from skinfw.data.photo import Photo
from skinfw.errors import DataError

CODES = np.random.default_rng(0).integers(0, 16, (12, 9)).astype(np.uint8)


def png(width: int, height: int, bits: int, kind: int, rows: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def codes(path: Path) -> np.ndarray:
    found = read_label_image(path).codes
    assert found is not None
    return found


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_gray_of_few_bits_is_not_scaled(tmp_path: Path, bits: int) -> None:
    values = CODES[:, :8] & (2**bits - 1)
    unpacked = np.unpackbits(values[..., None], axis=2)[..., 8 - bits :].reshape(12, -1)
    rows = np.hstack([np.zeros((12, 1), np.uint8), np.packbits(unpacked, axis=1)])
    (tmp_path / "a.png").write_bytes(png(8, 12, bits, 0, rows.tobytes()))
    assert np.array_equal(codes(tmp_path / "a.png"), values)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_are_not_scaled(tmp_path: Path, name: str) -> None:
    data = CODES.astype(np.uint16) * 100
    cv2.imwrite(str(tmp_path / name), data)
    assert np.array_equal(codes(tmp_path / name), data)


@pytest.mark.parametrize("kind", ["minisblack", "miniswhite"])
def test_inverted_tiff(tmp_path: Path, kind: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", CODES, photometric=kind)
    if kind == "minisblack":
        assert np.array_equal(codes(tmp_path / "a.tif"), CODES)
        return
    with pytest.raises(DataError, match=r"a\.tif: the label map is stored inverted"):
        read_label_image(tmp_path / "a.tif")


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.avif"])
def test_codes_in_a_lossy_format(tmp_path: Path, name: str) -> None:
    Image.fromarray(CODES).save(tmp_path / name, quality=100)
    # WebP has no grayscale: the codes come in three channels, marked as lossy
    if name != "a.webp":
        with pytest.raises(DataError, match="class codes in a lossy format, which changes them"):
            read_label_image(tmp_path / name)
    else:
        assert read_label_image(tmp_path / name).lossy


@pytest.mark.parametrize(("compression", "lossy"), [("tiff_lzw", False), ("jpeg", True)])
def test_tiff_is_as_lossy_as_its_compression(tmp_path: Path, compression: str, lossy: bool) -> None:
    Image.fromarray(CODES).convert("RGB").save(tmp_path / "a.tif", compression=compression)
    assert read_label_image(tmp_path / "a.tif").lossy == lossy


@pytest.mark.parametrize("lossless", [True, False])
def test_webp_is_lossless_or_not(tmp_path: Path, lossless: bool) -> None:
    image = Image.fromarray(CODES).convert("RGB")
    profile = b"x" * 64  # makes the extended format
    for options in ({}, {"icc_profile": profile}):
        image.save(tmp_path / "a.webp", lossless=lossless, **options)
        assert read_label_image(tmp_path / "a.webp").lossy != lossless


def test_transparency_is_told_apart_from_codes(tmp_path: Path) -> None:
    clear = np.arange(9) > 5
    alpha = np.broadcast_to(np.where(clear, 0, 255), (12, 9)).astype(np.uint8)
    Image.merge("LA", [Image.fromarray(CODES), Image.fromarray(alpha)]).save(tmp_path / "a.png")
    found = read_label_image(tmp_path / "a.png")
    assert np.array_equal(codes(tmp_path / "a.png"), CODES) and np.array_equal(found.clear, alpha == 0)
    Image.fromarray(CODES).convert("P").save(tmp_path / "b.png", transparency=3)
    assert np.array_equal(read_label_image(tmp_path / "b.png").clear, CODES == 3)
    Image.fromarray(CODES).save(tmp_path / "c.png", transparency=3)
    assert np.array_equal(read_label_image(tmp_path / "c.png").clear, CODES == 3)


def test_half_transparent_pixels(tmp_path: Path) -> None:
    pixels = np.full((12, 9, 4), 255, np.uint8)
    pixels[4, 2, 3] = 100
    Image.fromarray(pixels).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png: the pixel x=2, y=4 is half-transparent"):
        read_label_image(tmp_path / "a.png")


@pytest.mark.parametrize("mode", ["CMYK", "LAB", "YCbCr", "F"])
def test_modes_that_no_label_map_has(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (9, 12)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match=rf"a\.tif: a label map of mode {mode}"):
        read_label_image(tmp_path / "a.tif")


def test_colors_of_sixteen_bits(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.repeat(CODES[..., None], 3, axis=2).astype(np.uint16))
    with pytest.raises(DataError, match="mode RGB with 16 bits per sample"):
        read_label_image(tmp_path / "a.png")


def test_the_label_map_of_a_sample(tmp_path: Path) -> None:
    image = Image.fromarray(CODES)
    image.putpalette(sample_palette().tobytes())
    image.save(tmp_path / "a.png")
    assert np.array_equal(read_labels(tmp_path / "a.png"), CODES)
    image.quantize(16).save(tmp_path / "a.png")  # keeps indices, so still fine
    image.convert("RGB").quantize(16).save(tmp_path / "a.png")
    with pytest.raises(DataError, match="another program changed its palette"):
        read_labels(tmp_path / "a.png")


TURNS = {
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.T,
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored.T, 2),
    8: lambda stored: np.rot90(stored, 1),
}
"""How a stored image is turned upright (EXIF 2.3, tag 0x0112)."""


def write_photo(path: Path, orientation: int | None, size: tuple[int, int] = (9, 12)) -> Photo:
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    Image.new("RGB", size).save(path, exif=exif)
    return Photo.read(path)


def save(path: Path, labels: np.ndarray, orientation: int | None = None) -> None:
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(labels)).save(path, exif=exif)


@pytest.mark.parametrize("orientation", TURNS)
def test_a_map_beside_a_turned_photo(tmp_path: Path, orientation: int) -> None:
    photo = write_photo(tmp_path / "photo.jpg", orientation)
    upright, path = TURNS[orientation](CODES), tmp_path / "a.png"
    # the map says that it is turned as the photo, or that it is upright
    for stored, stated in ((CODES, orientation), (upright, 1)):
        save(path, stored, stated)
        assert np.array_equal(read_label_image(path, photo).codes, upright)
    # it says nothing: the sides tell, or nothing does
    for stored in (CODES, upright):
        save(path, stored)
        if orientation >= 5:
            assert np.array_equal(read_label_image(path, photo).codes, upright)
        else:
            with pytest.raises(
                DataError, match=rf"a\.png: the photo has the EXIF orientation {orientation} and"
            ):
                read_label_image(path, photo)


@pytest.mark.parametrize("orientation", TURNS)
def test_a_square_map_beside_a_turned_photo(tmp_path: Path, orientation: int) -> None:
    photo = write_photo(tmp_path / "photo.jpg", orientation, (9, 9))
    save(tmp_path / "a.png", CODES[:9])
    with pytest.raises(DataError, match="unclear if both have the same rotation"):
        read_label_image(tmp_path / "a.png", photo)


def test_a_map_that_is_turned_beside_a_photo_that_is_not(tmp_path: Path) -> None:
    save(tmp_path / "a.png", CODES, 3)
    for stated in (None, 1):
        with pytest.raises(DataError, match="orientation 1 and the label map the EXIF orientation 3"):
            read_label_image(tmp_path / "a.png", write_photo(tmp_path / "photo.jpg", stated))
