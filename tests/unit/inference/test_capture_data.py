"""What is kept of a photo's EXIF data if a tag is damaged, or if they are too large."""

from __future__ import annotations

import io
import logging

import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

from skinfw.inference.capture_data import capture_data


def opened(exif: bytes) -> Image.Image:
    """Return a photo with EXIF data, as it is opened."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "jpeg", exif=exif)
    return Image.open(file)


def kept(exif: bytes) -> dict[int, object]:
    """Return what is kept, without directories, of the main directory and that of the exposure."""
    found = Image.Exif()
    found.load(capture_data(opened(exif)) or b"")
    return {**{tag: found[tag] for tag in found if tag != IFD.Exif}, **found.get_ifd(IFD.Exif)}


def test_a_damaged_tag_does_not_take_the_others_along() -> None:
    exif = Image.Exif()
    exif.update({Base.Make: "Camera", Base.Artist: "me"})
    exif.get_ifd(IFD.Exif).update({Base.FNumber: 2.8, Base.LensModel: "Lens"})
    data = bytearray(exif.tobytes())
    place = data.index(Base.Make.to_bytes(2, "big") + b"\0\x02")
    data[place + 3] = 11  # numbers instead of a text
    assert kept(bytes(data)) == {Base.Artist: "me", Base.FNumber: 2.8, Base.LensModel: "Lens"}


def test_a_warning_says_that_too_large_data_are_not_kept(caplog: pytest.LogCaptureFixture) -> None:
    exif = Image.Exif()
    exif[Base.Make] = "x" * 40_000
    with caplog.at_level(logging.WARNING, "skinfw"):
        assert capture_data(opened(exif.tobytes())) is None
    assert "EXIF data are not kept" in caplog.text
