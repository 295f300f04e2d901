"""Whatever a decoder stumbles over is one line about one file; nothing but regular image files is opened."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import EpsImagePlugin, Image, PngImagePlugin

from skinfw.data import image_file
from skinfw.data.image_file import open_image
from skinfw.data.image_formats import FORMATS, IMAGE_SUFFIXES, is_image_name
from skinfw.data.label_file import read_label_image
from skinfw.data.mask_file import read_mask
from skinfw.data.photo import BLACK, Photo, read_image
from skinfw.errors import DataError
from skinfw.preparation.listing import Entry
from skinfw.preparation.record import content_hash

ROWS, COLUMNS = np.mgrid[0:160:10, 0:240:10]
IMAGE = np.stack([COLUMNS, ROWS, np.full((16, 24), 90)], axis=2).astype(np.uint8)

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\n%%EndComments\nshowpage\n%%EOF\n"


def encoded(kind: str, image: Image.Image | None = None, **options: object) -> bytes:
    stream = io.BytesIO()
    (image or Image.fromarray(IMAGE)).save(stream, kind, **options)  # type: ignore[arg-type]  # options differ
    return stream.getvalue()


@pytest.mark.parametrize("suffix", IMAGE_SUFFIXES)
def test_every_suffix_of_the_table_is_read(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(IMAGE).save(tmp_path / f"a{suffix}", **({} if suffix == ".png" else {"quality": 95}))
    assert is_image_name(f"A{suffix.upper()}")
    found = Photo.read(tmp_path / f"a{suffix}").pixels
    assert np.abs(found.astype(int) - IMAGE).mean() < 12


def test_an_eps_does_not_start_ghostscript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").write_bytes(EPS)
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_, **__: pytest.fail("started"))
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("started"))
    with pytest.raises(
        DataError, match=r"a\.jpg: cannot be read: corrupt, or not an image of a known format"
    ):
        Photo.read(tmp_path / "a.jpg")


@pytest.mark.parametrize("kind", ["DDS", "TGA", "PPM", "ICO", "PCX", "SGI", "JPEG2000"])
def test_other_formats_of_pillow_are_not_opened(tmp_path: Path, kind: str) -> None:
    assert kind not in FORMATS
    (tmp_path / "a.png").write_bytes(encoded(kind))
    with pytest.raises(DataError, match=r"a\.png: cannot be read"):
        Photo.read(tmp_path / "a.png")


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
def test_heic_says_what_to_do(tmp_path: Path, brand: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x18ftyp" + brand + bytes(100))
    with pytest.raises(DataError, match=r"a\.jpg: HEIC images cannot be read; convert it to PNG or JPEG"):
        Photo.read(tmp_path / "a.jpg")
    (tmp_path / "b.CR2").write_bytes(b"II*\0\x10\0\0\0CR\x02\0")
    with pytest.raises(DataError, match=r"b\.CR2: camera raw images cannot be read"):
        Photo.read(tmp_path / "b.CR2")


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_files_of_several_images(tmp_path: Path, kind: str) -> None:
    frames = [Image.fromarray(np.roll(IMAGE, shift, axis=1)) for shift in (3, 6)]
    (tmp_path / "a.img").write_bytes(encoded(kind, save_all=True, append_images=frames))
    with pytest.raises(DataError, match=r"a\.img: contains several images or frames"):
        open_image(tmp_path / "a.img")


def test_the_first_image_of_an_mpo(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(
        encoded("MPO", save_all=True, append_images=[Image.new("RGB", (24, 16))], quality=95)
    )
    assert np.abs(Photo.read(tmp_path / "a.jpg").pixels.astype(int) - IMAGE).mean() < 4


def test_special_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.png")
    (tmp_path / "device.png").symlink_to("/dev/zero")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "empty.png").write_bytes(b"")
    for name, reason in (
        ("fifo.png", "a FIFO, not a regular file"),
        ("device.png", "a device, not a regular file"),
        ("loop.png", "symbolic links"),
        ("empty.png", "the file is empty"),
        ("none.png", "no such file"),
    ):
        for read in (Photo.read, read_mask, read_label_image):
            with pytest.raises(DataError, match=rf"{name}: .*{reason}"):
                read(tmp_path / name)


@pytest.mark.parametrize(
    "start",
    [
        b"\xff\xd8\xff\xe0\x00\x02",
        b"\xff\xd8" + b"\xff\xfe\x00\x02" * 20_000,
        b"\xff\xd8" + b"\xff" * 20_000,
        encoded("GIF", Image.fromarray(IMAGE).quantize(8))[:-1],
    ],
    ids=["jpeg", "comments", "fill", "gif"],
)
def test_what_would_be_read_byte_by_byte_for_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    monkeypatch.setattr(image_file, "MAX_READS", 10_000)
    (tmp_path / "a.jpg").write_bytes(start + bytes(20_000))
    with pytest.raises(DataError, match=r"a\.jpg: cannot be read: it has more than 10,000 parts"):
        open_image(tmp_path / "a.jpg")


def test_a_file_larger_than_any_image(tmp_path: Path) -> None:
    with (tmp_path / "a.webp").open("wb") as file:
        file.write(encoded("WEBP"))
        file.truncate(2**40)  # holds nothing on the disk
    path = tmp_path / "a.webp"
    for read in (open_image, lambda path: content_hash(path, (), Entry("a.webp", path))):
        with pytest.raises(DataError, match=r"776 bytes, more than the limit of 1,073,741,824; make"):
            read(path)


def test_a_jpeg_of_very_many_scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded("JPEG", progressive=True))
    Photo.read(tmp_path / "a.jpg")
    monkeypatch.setattr(image_file, "MAX_SCANS", 5)
    with pytest.raises(DataError, match=r"a\.jpg: a JPEG of more than 5 scans"):
        Photo.read(tmp_path / "a.jpg")


# what Pillow's decoders have been seen to raise for damaged or unusual files, such as DDS and TIFF
@pytest.mark.parametrize(
    "error",
    [NotImplementedError("DXT 9"), MemoryError(), OverflowError(), AttributeError("x"), RuntimeError()],
)
def test_whatever_a_decoder_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    (tmp_path / "a.png").write_bytes(encoded("PNG"))

    def fail(image: Image.Image) -> None:
        raise error

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", fail)
    with pytest.raises(DataError, match=r"a\.png: cannot be read: .") as caught:
        Photo.read(tmp_path / "a.png")
    assert "\n" not in str(caught.value)


def test_text_of_a_png_that_is_a_bomb(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "a" * 3_000_000, zip=True)
    (tmp_path / "a.png").write_bytes(encoded("PNG", pnginfo=info))
    with pytest.raises(DataError, match=r"a\.png: cannot be read: Decompressed data too large"):
        Photo.read(tmp_path / "a.png")


UNKNOWN: dict[str, tuple[np.ndarray, str]] = {
    "float": (np.random.default_rng(0).random((16, 24)).astype(np.float32), "floating-point samples"),
    "32 bit": (np.full((16, 24), 200, np.uint32), "32-bit samples"),
    "12 bit in 16": (
        np.linspace(0, 4095, 384).astype(np.uint16).reshape(16, 24),
        "it seems to have fewer bits",
    ),
    "14 bit in 16": (np.linspace(0, 16383, 384).astype(np.uint16).reshape(16, 24), "fewer bits"),
    "12 bit in 16, color": (np.full((16, 24, 3), 4095, np.uint16), "fewer bits"),
    "signed": (np.full((16, 24), -5, np.int8), "samples are signed"),
    "float color": (np.zeros((16, 24, 3), np.float32), "cannot be read"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_photos_whose_white_is_not_known(tmp_path: Path, case: str) -> None:
    values, reason = UNKNOWN[case]
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb" if values.ndim == 3 else "minisblack")
    with pytest.raises(DataError, match=rf"a\.tif: .*{reason}"):
        Photo.read(tmp_path / "a.tif")


@pytest.mark.parametrize("mode", ["LAB", "YCbCr"])
def test_color_models_of_tiff(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (8, 8)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match=r"a\.tif: .*save it as 8-bit sRGB"):
        Photo.read(tmp_path / "a.tif")


@pytest.mark.parametrize("kind", ["minisblack", "miniswhite"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_gray_tiff_of_either_polarity(tmp_path: Path, kind: str, dtype: type) -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    scale = 257 if dtype is np.uint16 else 1
    tifffile.imwrite(tmp_path / "a.tif", ramp.astype(dtype) * dtype(scale), photometric=kind)
    expected = 255 - ramp if kind == "miniswhite" else ramp
    assert np.array_equal(Photo.read(tmp_path / "a.tif").pixels[..., 0], expected)


def test_color_of_sixteen_bits(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 65536, (16, 24, 3)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb")
    assert np.abs(Photo.read(tmp_path / "a.tif").pixels - values / 257).max() <= 1


def test_a_drawing_on_transparent_is_laid_on_black(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[2:4] = 255, 0, 85, 255
    Image.fromarray(pixels).save(tmp_path / "line.png")
    found = read_image(tmp_path / "line.png", BLACK)
    assert (found[2:4] == (255, 0, 85)).all() and not found[4:].any() and not found[:2].any()


def test_a_fully_transparent_photo(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png: is fully transparent"):
        Photo.read(tmp_path / "a.png")


def broken(data: bytes, rng: np.random.Generator) -> Iterator[bytes]:
    """Yield the file cut short, with bytes changed, and with a piece moved."""
    yield data[: rng.integers(1, len(data))]
    for most in (64, len(data)):  # headers, and all
        changed = np.frombuffer(data, np.uint8).copy()
        places = rng.integers(0, min(most, len(data)), 4)
        changed[places] = rng.integers(0, 256, 4)
        yield changed.tobytes()
    start, end = sorted(rng.integers(0, len(data), 2))
    yield data[:start] + data[end:] + data[start:end]


@pytest.mark.parametrize("kind", FORMATS)
def test_broken_files_are_one_line_each(tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    rng, path = np.random.default_rng(5), tmp_path / "a.img"
    exif = Image.Exif()
    exif[0x0112] = 6
    codes = Image.fromarray(np.arange(384, dtype=np.uint16).reshape(16, 24).astype(np.uint8) % 9)
    files = [encoded(kind, exif=exif), encoded(kind, codes)]
    if kind != "JPEG":
        files += [encoded(kind, codes.convert("P"))]
    if kind == "TIFF":
        files += [
            encoded(kind, compression=name) for name in ("tiff_lzw", "jpeg", "tiff_deflate", "packbits")
        ]
    rejected = 0
    for data in files:
        for _ in range(5):
            for changed in broken(data, rng):
                path.write_bytes(changed)
                for read in (Photo.read, read_mask, read_label_image):
                    try:
                        read(path)
                    except DataError as error:
                        rejected += 1
                        assert "\n" not in str(error) and len(str(error)) < len(str(path)) + 400
    assert rejected > 50
    assert capfd.readouterr().err == ""


def test_pillow_logs_nothing_of_its_own(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((16, 24, 8), np.uint8), photometric="rgb")
    # as in a program that sets up no logging
    path = tmp_path / "a.tif"
    code = f"from skinfw.data.photo import Photo, Path; Photo.read(Path({str(path)!r}))"
    subprocess.run(
        [sys.executable, "-c", f"try:\n  {code}\nexcept Exception as error:\n  print(error)"], check=True
    )
    found = capfd.readouterr()
    assert "a.tif: cannot be read" in found.out and found.err == ""
