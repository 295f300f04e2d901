"""What a photo's EXIF data say about how and when it was taken: all that a painted photo keeps of them."""

from __future__ import annotations

from PIL import Image
from PIL.ExifTags import IFD, Base

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

_MAX_BYTES = 32_768
"""Maximum size: a camera writes less of it, and JPEG holds 64 KiB."""


def capture_data(image: Image.Image) -> bytes | None:
    """Return the EXIF data to write into a painted photo; None if there are none, or they are damaged.

    They have no orientation, since the pixels are upright; no thumbnail, preview or maker note, which show
    the photo before it was painted; and no place, serial number, owner or comment.

    Args:
        image: the photo, as it was opened or turned upright.
    """
    try:
        found = image.getexif()
        exposure = found.get_ifd(IFD.Exif)
        kept = Image.Exif()
        kept.update({tag: _as_stored(found[tag]) for tag in _ABOUT if tag in found})
        details: dict[int, object] = {tag: _as_stored(exposure[tag]) for tag in _CAPTURE if tag in exposure}
        if details:
            kept.get_ifd(IFD.Exif).update(details)
        data = kept.tobytes() if kept or details else b""
    except Exception:  # whatever Pillow raises for damaged data; the photo itself can be painted
        return None
    return data if 0 < len(data) <= _MAX_BYTES else None


def _as_stored(value: object) -> object:
    """Return a value as the file had it: Pillow reads text as Latin-1, whatever it is, but writes ASCII."""
    return value.encode("latin-1") if isinstance(value, str) and not value.isascii() else value
