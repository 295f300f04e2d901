from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from skinfw.data.image_file import open_image
from skinfw.data.photo import Photo
from skinfw.errors import DataError

ROWS, COLUMNS = np.mgrid[0:160:10, 0:240:10]
IMAGE = np.stack([COLUMNS, ROWS, np.full((16, 24), 90)], axis=2).astype(np.uint8)


def save(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]  # options differ by format
    return path


def test_rgb_comes_as_it_is(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", Image.fromarray(IMAGE))
    found = Photo.read(path)
    assert found.path == path
    assert found.size == (16, 24)
    assert found.pixels.dtype == np.uint8
    assert np.array_equal(found.pixels, IMAGE)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_image_upright(tmp_path: Path, orientation: int) -> None:
    # what a camera stores so that the stated orientation makes it upright again (EXIF 2.3, tag 0x0112)
    stored = {
        1: IMAGE,
        2: IMAGE[:, ::-1],
        3: IMAGE[::-1, ::-1],
        4: IMAGE[::-1],
        5: IMAGE.transpose(1, 0, 2),
        6: np.rot90(IMAGE, 1),
        7: np.rot90(IMAGE, 2).transpose(1, 0, 2),
        8: np.rot90(IMAGE, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "a.png", Image.fromarray(np.ascontiguousarray(stored)), exif=exif)
    assert np.array_equal(Photo.read(path).pixels, IMAGE)


def test_sixteen_bit_gray_is_scaled_to_eight(tmp_path: Path) -> None:
    values = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    found = Photo.read(save(tmp_path / "a.png", Image.fromarray(values))).pixels
    assert np.array_equal(found[..., 0], np.arange(256).reshape(16, 16))
    assert np.array_equal(found[..., 0], found[..., 2])


def test_sixteen_bit_color(tmp_path: Path) -> None:
    """Pillow cannot write these: one white and one mid-gray row, as a PNG by hand."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"\0" + b"\xff\xff" * 12 + b"\0" + b"\x80\x00" * 12
    header = struct.pack(">IIBBBBB", 4, 2, 16, 2, 0, 0, 0)
    path = tmp_path / "a.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    found = Photo.read(path).pixels
    assert (found[0] == 255).all()
    assert (np.abs(found[1].astype(int) - 128) <= 1).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_laid_on_white(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (3, 1), 0)
    black, clear, half = ((0,) * (len(mode) - 1) + (alpha,) for alpha in (255, 0, 128))
    for x, value in enumerate((black, clear, half)):
        image.putpixel((x, 0), value)
    found = Photo.read(save(tmp_path / "a.png", image)).pixels
    assert found[0, :, 0].tolist() == [0, 255, 127]


def test_a_palette_with_a_transparent_color(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 0, 0])
    image.putpixel((1, 0), 1)
    found = Photo.read(save(tmp_path / "a.png", image, transparency=1)).pixels
    assert found.tolist() == [[[10, 20, 30], [255, 255, 255]]]


@pytest.mark.parametrize(("mode", "value"), [("L", 77), ("1", 255)])
def test_gray_and_black_and_white(tmp_path: Path, mode: str, value: int) -> None:
    found = Photo.read(save(tmp_path / "a.png", Image.new(mode, (4, 3), value))).pixels
    assert found.shape == (3, 4, 3)
    assert (found == value).all()


def test_an_embedded_color_profile_is_no_trouble(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = save(tmp_path / "a.png", Image.fromarray(IMAGE), icc_profile=profile)
    assert np.array_equal(Photo.read(path).pixels, IMAGE)


def test_a_decompression_bomb_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "bomb.png", Image.new("1", (12_000, 9_000)))
    rows = save(tmp_path / "rows.png", Image.new("1", (1, 70_000)))
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(DataError, match=r"bomb\.png: 12000x9000 is more than 100,000,000 pixels"):
        open_image(path)
    with pytest.raises(DataError, match=r"rows\.png: 1x70000; a side has more than 65,535 pixels"):
        open_image(rows)


def test_a_bomb_that_pillow_refuses_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "bomb.png", Image.new("1", (300, 300)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(DataError, match=r"bomb\.png.*make the image smaller"):
        open_image(path)


def test_large_images_below_the_limit_give_no_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    path = save(tmp_path / "a.png", Image.new("1", (300, 300)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 60_000)
    assert open_image(path).image.size == (300, 300)
    assert not recwarn.list


def test_bad_files_are_named(tmp_path: Path) -> None:
    whole = save(tmp_path / "whole.jpg", Image.fromarray(IMAGE).resize((300, 300))).read_bytes()
    files = {
        "text.jpg": b"hello",
        "empty.jpg": b"",
        "half.jpg": whole[: len(whole) // 2],
        "folder.jpg": None,
        "nowhere.jpg": None,
    }
    (tmp_path / "folder.jpg").mkdir()
    for name, data in files.items():
        if data is not None:
            (tmp_path / name).write_bytes(data)
        with pytest.raises(DataError, match=name.replace(".", r"\.")):
            Photo.read(tmp_path / name)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of broken EXIF
def test_broken_bytes_never_give_another_error(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "an image"
    path = tmp_path / "a.img"
    failed = 0
    for kind in ("PNG", "JPEG", "WEBP", "BMP"):
        Image.fromarray(IMAGE).save(path, kind, exif=exif)
        data = path.read_bytes()
        for _ in range(60):
            broken = np.frombuffer(data, np.uint8).copy()
            places = rng.integers(0, len(broken), 4)
            broken[places] = rng.integers(0, 256, 4)
            path.write_bytes(broken.tobytes())
            try:
                Photo.read(path)
            except DataError:
                failed += 1
    assert failed > 20


def test_exif_of_the_wrong_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "a.png", Image.fromarray(IMAGE))

    def fail(image: Image.Image) -> None:
        raise struct.error("required argument is not an integer")

    monkeypatch.setattr(Image.Image, "getexif", fail)
    with pytest.raises(DataError, match=r"a\.png: cannot be read"):
        open_image(path)


def test_what_libtiff_writes_of_a_broken_file_is_not_shown(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.tif"
    noise = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
    Image.fromarray(noise).save(path, compression="tiff_adobe_deflate")
    with Image.open(path) as image:
        (start,) = image.tag_v2[273][:1]
    content = bytearray(path.read_bytes())
    content[start + 20 : start + 60] = bytes(40)
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        open_image(path)
    assert capfd.readouterr().err == ""


def test_a_palette_image_without_its_palette_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    Image.new("P", (8, 8)).save(path)
    content = path.read_bytes()
    start = content.index(b"PLTE") - 4
    (length,) = struct.unpack(">I", content[start : start + 4])
    path.write_bytes(content[:start] + content[start + 12 + length :])
    with pytest.raises(DataError, match=r"broken\.png: cannot be read: .* palette that it does not have"):
        open_image(path)


def png_with(path: Path, name: bytes, data: bytes) -> Path:
    """Write a PNG with a palette and a chunk of one's own in front of the pixels."""
    Image.new("P", (8, 8), 200).save(path)
    content = path.read_bytes()
    start = content.index(b"IDAT") - 4
    chunk = struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    path.write_bytes(content[:start] + chunk + content[start:])
    return path


@pytest.mark.parametrize(("name", "data"), [(b"eXIf", b"{}"), (b"tRNS", b"\x80" * 256), (b"PLTE", b"123")])
def test_what_stumbles_after_decoding_is_an_error_of_the_file_or_nothing(
    tmp_path: Path, name: bytes, data: bytes, recwarn: pytest.WarningsRecorder
) -> None:
    path = png_with(tmp_path / "odd.png", name, data)
    try:
        assert Photo.read(path).size == (8, 8)
    except DataError as error:
        assert str(error).startswith(f"{path}: ")
    assert not recwarn.list
