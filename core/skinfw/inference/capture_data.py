"""What a photo's EXIF data say about how and when it was taken: all that a painted photo keeps of them."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterable, Mapping
from typing import Any

from PIL import Image
from PIL.ExifTags import IFD, Base

logger = logging.getLogger("skinfw")

_ABOUT = (Base.Make, Base.Model, Base.Artist, Base.Copyright)
"""What is kept of the main directory: camera and rights."""

_CAPTURE = (
    Base.ExifVersion, Base.DateTimeOriginal, Base.DateTimeDigitized, Base.OffsetTimeOriginal,
    Base.OffsetTimeDigitized, Base.SubsecTimeOriginal, Base.SubsecTimeDigitized, Base.ExposureTime,
    Base.FNumber, Base.ExposureProgram, Base.ISOSpeedRatings, Base.SensitivityType, Base.ShutterSpeedValue,
    Base.ApertureValue, Base.BrightnessValue, Base.ExposureBiasValue, Base.MaxApertureValue,
    Base.MeteringMode, Base.LightSource, Base.Flash, Base.FocalLength, Base.ExposureMode, Base.WhiteBalance,
    Base.DigitalZoomRatio, Base.FocalLengthIn35mmFilm, Base.SceneCaptureType, Base.LensSpecification,
    Base.LensMake, Base.LensModel,
)  # fmt: skip
"""What is kept of the directory about the exposure."""

_DAMAGED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
)
"""What Pillow raises for damaged tags: when it reads them, or when it writes them again."""

_MAX_BYTES = 32_768
"""Maximum size: a camera writes less of it, and JPEG holds 64 KiB."""


def capture_data(image: Image.Image) -> bytes | None:
    """Return the EXIF data to write into a painted photo; None if there are none; damaged tags are left out.

    They have no orientation, since the pixels are upright; no thumbnail, preview or maker note, which show
    the photo before it was painted; and no place, serial number, camera owner or
    comment. If they are too large for a JPEG file, a warning says that none are kept.

    Args:
        image: the photo, as it was opened or turned upright.
    """
    try:
        found = image.getexif()
        exposure = found.get_ifd(IFD.Exif)
    except _DAMAGED:
        return None
    about, details = _readable(found, _ABOUT), _readable(exposure, _CAPTURE)
    if not (about or details):
        return None
    data = _stored(about, details)
    if len(data) > _MAX_BYTES:
        logger.warning("EXIF data are not kept: %d bytes; at most %d can be", len(data), _MAX_BYTES)
        return None
    return data


def _readable(found: Mapping[int, Any], tags: Iterable[int]) -> dict[int, object]:
    """Return the values of some tags; those that Pillow cannot read or write are left out."""
    values: dict[int, object] = {}
    for tag in tags:
        try:
            if tag in found:
                value = _as_stored(found[tag])
                _stored({tag: value}, {})
                values[tag] = value
        except _DAMAGED:
            continue
    return values


def _stored(about: Mapping[int, object], details: Mapping[int, object]) -> bytes:
    kept = Image.Exif()
    kept.update(about)
    if details:
        kept.get_ifd(IFD.Exif).update(details)
    return kept.tobytes()


def _as_stored(value: object) -> object:
    """Return a value as the file had it: Pillow reads text as Latin-1, whatever it is, but writes ASCII."""
    return value.encode("latin-1") if isinstance(value, str) and not value.isascii() else value
