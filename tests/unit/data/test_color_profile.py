"""Colors are converted to sRGB, checked against the profiles' definition, or rejected."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from icc import (
    ADOBE_GAMMA,
    ADOBE_RGB,
    DISPLAY_P3,
    SRGB,
    cmyk_profile,
    gray_profile,
    lab_to_srgb,
    rgb_profile,
    to_srgb,
)
from PIL import ExifTags, Image, ImageCms
from skimage.color import deltaE_ciede2000, rgb2lab

from skinfw.data.photo import Photo
from skinfw.errors import DataError

COLORS = np.random.default_rng(0).integers(0, 256, (32, 24, 3)).astype(np.uint8)
SKIN = np.stack(np.meshgrid(np.arange(140, 230), np.arange(60, 120)), axis=-1)
SKIN_TONES = np.dstack([SKIN[..., 0], SKIN[..., 0] * 0.8, SKIN[..., 1] + 30]).astype(np.uint8)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp", "a.avif"])
@pytest.mark.parametrize(("primaries", "gamma"), [(ADOBE_RGB, ADOBE_GAMMA), (DISPLAY_P3, 2.2), (SRGB, 1.8)])
def test_rgb_profiles(
    tmp_path: Path, name: str, primaries: list[tuple[float, float, float]], gamma: float
) -> None:
    options = {"a.webp": {"lossless": True, "exact": True}, "a.avif": {"quality": 100}}.get(name, {})
    image = Image.fromarray(SKIN_TONES)
    image.save(tmp_path / name, icc_profile=rgb_profile(primaries, gamma), **options)
    stored = np.asarray(Image.open(tmp_path / name).convert("RGB"))
    found = Photo.read(tmp_path / name).pixels
    expected = to_srgb(stored, primaries, gamma)
    assert np.abs(found - expected).max() < 1.6
    if name == "a.png":
        # read without the profile, the colors are visibly others
        assert deltaE_ciede2000(rgb2lab(SKIN_TONES), rgb2lab(expected / 255)).mean() > 1


def test_all_colors_in_a_wide_profile(tmp_path: Path) -> None:
    Image.fromarray(COLORS).save(tmp_path / "a.png", icc_profile=rgb_profile(ADOBE_RGB, ADOBE_GAMMA))
    difference = Photo.read(tmp_path / "a.png").pixels - to_srgb(COLORS, ADOBE_RGB, ADOBE_GAMMA)
    # where one channel is clipped, gamuts differ in the last digits of the primaries
    assert np.quantile(np.abs(difference), 0.99) < 1.6 and np.abs(difference).max() < 8


def test_an_srgb_profile_changes_no_pixel(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for mode in ("RGB", "L"):
        image = Image.fromarray(COLORS).convert(mode)
        image.save(tmp_path / "a.png", icc_profile=profile)
        assert np.array_equal(Photo.read(tmp_path / "a.png").pixels, np.asarray(image.convert("RGB")))


def test_transparency_and_palettes_with_a_profile(tmp_path: Path) -> None:
    profile = rgb_profile(DISPLAY_P3, 2.2)
    Image.fromarray(COLORS).save(tmp_path / "a.png", icc_profile=profile)
    plain = Photo.read(tmp_path / "a.png").pixels
    alpha = np.where(np.arange(24) < 9, 0, 255) + np.zeros((32, 1), int)
    Image.fromarray(np.dstack([COLORS, alpha]).astype(np.uint8)).save(tmp_path / "a.png", icc_profile=profile)
    assert np.array_equal(Photo.read(tmp_path / "a.png").pixels, np.where(alpha[..., None] == 0, 255, plain))
    few = Image.fromarray(COLORS).quantize(8)
    few.convert("RGB").save(tmp_path / "a.png", icc_profile=profile)
    few.save(tmp_path / "b.png", icc_profile=profile)
    assert np.array_equal(Photo.read(tmp_path / "a.png").pixels, Photo.read(tmp_path / "b.png").pixels)


def test_a_gray_profile(tmp_path: Path) -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    Image.fromarray(ramp).save(tmp_path / "a.png", icc_profile=gray_profile(1.8))
    expected = to_srgb(np.repeat(ramp[..., None], 3, axis=2), SRGB, 1.8)
    assert np.abs(Photo.read(tmp_path / "a.png").pixels - expected).max() < 1.6


@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_cmyk_by_its_profile(tmp_path: Path, name: str) -> None:
    rng = np.random.default_rng(2)
    corners = np.dstack([rng.integers(60, 230, (16, 1)), rng.integers(108, 148, (16, 2))[:, None]]).astype(
        np.uint8
    )
    corners[0], corners[15] = (255, 128, 128), (0, 128, 128)
    inks = np.unpackbits(np.arange(16, dtype=np.uint8)[:, None], axis=1)[:, 4:] * 255
    pixels = np.kron(inks.reshape(4, 4, 4), np.ones((16, 16, 1), np.uint8))
    options = {"quality": 100, "subsampling": 0} if name == "a.jpg" else {}
    Image.fromarray(pixels, "CMYK").save(tmp_path / name, icc_profile=cmyk_profile(corners), **options)
    found = Photo.read(tmp_path / name).pixels[8::16, 8::16].reshape(-1, 3)
    lab = corners.reshape(16, 3) / (2.55, 1, 1) - (0, 128, 128)
    assert np.abs(found - lab_to_srgb(lab)).max() < 2


@pytest.mark.parametrize("profile", [None, "sRGB"])
def test_cmyk_without_a_profile_of_its_own(tmp_path: Path, profile: str | None) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options = {} if profile is None else {"icc_profile": srgb}
    Image.new("CMYK", (8, 8), (0, 80, 90, 20)).save(tmp_path / "a.jpg", **options)
    reason = "CMYK without an ICC profile" if profile is None else "it is for RGB, but the image is CMYK"
    with pytest.raises(DataError, match=rf"a\.jpg: .*{reason}"):
        Photo.read(tmp_path / "a.jpg")


def test_broken_profiles(tmp_path: Path) -> None:
    good = rgb_profile(DISPLAY_P3, 2.2)
    for broken in (b"junk", good[:200], good[:128] + bytes(len(good) - 128)):
        Image.fromarray(COLORS).save(tmp_path / "a.png", icc_profile=broken)
        with pytest.raises(
            DataError, match=r"a\.png: its ICC profile cannot be used: .*convert the image to sRGB"
        ):
            Photo.read(tmp_path / "a.png")
    # two segments of a JPEG's profile, of which one is lost
    Image.fromarray(COLORS).save(tmp_path / "a.jpg", icc_profile=good + bytes(70_000))
    data = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(data.replace(b"ICC_PROFILE\0\2\2", b"ICC_PROFILF\0\2\2"))
    with pytest.raises(DataError, match=r"a\.jpg: its ICC profile is damaged"):
        Photo.read(tmp_path / "a.jpg")


def png_with(name: bytes, data: bytes) -> bytes:
    """Return a plain PNG with a chunk before its pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    rows = zlib.compress(b"".join(b"\0" + row.tobytes() for row in COLORS))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 24, 32, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(name, data) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


CHROMATICITY = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (b"gAMA", struct.pack(">I", 45455)),
        (b"sRGB", b"\0"),
        (b"cHRM", struct.pack(">8I", *CHROMATICITY)),
        (b"cICP", bytes([1, 13, 0, 1])),
    ],
)
def test_a_png_that_says_srgb(tmp_path: Path, name: bytes, data: bytes) -> None:
    (tmp_path / "a.png").write_bytes(png_with(name, data))
    assert np.array_equal(Photo.read(tmp_path / "a.png").pixels, COLORS)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        (b"gAMA", struct.pack(">I", 100000), "gamma is 1, not sRGB's"),
        (
            b"cHRM",
            struct.pack(">8I", *CHROMATICITY[:2], 68000, 32000, 26500, 69000, 15000, 6000),
            "primaries",
        ),
        (b"cICP", bytes([9, 16, 0, 1]), "wide-gamut or HDR image .primaries 9, transfer 16"),
    ],
)
def test_a_png_of_other_colors(tmp_path: Path, name: bytes, data: bytes, reason: str) -> None:
    (tmp_path / "a.png").write_bytes(png_with(name, data))
    with pytest.raises(DataError, match=rf"a\.png: .*{reason}"):
        Photo.read(tmp_path / "a.png")


def test_an_hdr_avif(tmp_path: Path) -> None:
    Image.fromarray(COLORS).save(tmp_path / "a.avif")
    data = (tmp_path / "a.avif").read_bytes()
    Photo.read(tmp_path / "a.avif")
    place = data.index(b"colrnclx") + 8
    (tmp_path / "a.avif").write_bytes(data[:place] + struct.pack(">HH", 9, 16) + data[place + 4 :])
    with pytest.raises(DataError, match="wide-gamut or HDR"):
        Photo.read(tmp_path / "a.avif")


@pytest.mark.parametrize(("space", "index"), [(0xFFFF, "R03"), (2, None)])
def test_adobe_rgb_by_exif_alone(tmp_path: Path, space: int, index: str | None) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = space
    if index:
        exif.get_ifd(0x8769)[0xA005] = {1: index}
    Image.fromarray(COLORS).save(tmp_path / "a.jpg", exif=exif)
    with pytest.raises(DataError, match=r"a\.jpg: Adobe RGB according to its EXIF data"):
        Photo.read(tmp_path / "a.jpg")


def test_photos_without_exif_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow before 13 raises a KeyError where an index that is asked for is missing."""
    plain = Image.Exif.get_ifd

    def get_ifd(exif: Image.Exif, tag: int) -> dict[int, object]:
        if tag == ExifTags.IFD.Interop:
            raise KeyError(tag)
        return plain(exif, tag)

    monkeypatch.setattr(Image.Exif, "get_ifd", get_ifd)
    Image.fromarray(COLORS).save(tmp_path / "a.png")
    np.testing.assert_array_equal(Photo.read(tmp_path / "a.png").pixels, COLORS)
