"""Converts the colors of image files to sRGB."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import ExifTags, Image, ImageCms

from skinfw.data.image_file import DecodedImage
from skinfw.data.segmentation import RgbImage
from skinfw.errors import DataError

_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}
"""The required color space of a profile, by Pillow's mode."""

# ITU-T H.273: BT.709's primaries, and BT.709's and sRGB's transfer functions, often interchanged; 2: unknown
_SRGB_PRIMARIES, _SRGB_TRANSFERS = (1, 2), (1, 2, 6, 13, 14, 15)

_SRGB_GAMMA = 1 / 2.2
_SRGB_CHROMATICITY = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)

_REMEDY = "convert the image to sRGB"


def to_srgb(image: Image.Image, file: DecodedImage) -> Image.Image:
    """Convert an image to sRGB.

    The file's ICC profile defines the colors. Without a profile they are sRGB unless the file says
    otherwise.

    Args:
        image: the image without alpha, of mode RGB, L or CMYK.
        file: its file.

    Returns:
        the image in mode RGB; the values are unchanged if the profile is sRGB to within one level.

    Raises:
        DataError: the profile is damaged or has another color space than the image, or the file has colors
            other than sRGB without a profile.
    """
    info = file.image.info
    if "icc_profile" not in info:
        _check_srgb(image, file)
        return image.convert("RGB")
    profile = info["icc_profile"]
    if not profile:
        raise DataError(f"{file.path}: its ICC profile is damaged; {_REMEDY}, or remove the profile")
    try:
        transform = _transform(profile, image.mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        raise DataError(
            f"{file.path}: its ICC profile cannot be used: {str(error)[:100]}; {_REMEDY}, or remove the "
            "profile"
        ) from None
    if transform is None:
        return image.convert("RGB")
    if image.mode == "L" and transform.input_mode == "RGB":
        image = image.convert("RGB")
    converted = ImageCms.applyTransform(image, transform)
    if converted is None:
        raise ValueError("a transform in place")
    return converted


def from_srgb(pixels: RgbImage, profile: bytes) -> RgbImage:
    """Convert sRGB to the color space of an RGB profile that `to_srgb` accepts.

    Args:
        pixels: uint8 RGB ``(H, W, 3)``.
        profile: the ICC profile.

    Returns:
        uint8 ``(H, W, 3)``; unchanged if the profile is sRGB to within one level.
    """
    if _transform(profile, "RGB") is None:
        return pixels
    converted = ImageCms.applyTransform(Image.fromarray(pixels), _back(profile))
    return np.asarray(converted, np.uint8)


@lru_cache(maxsize=16)
def _back(profile: bytes) -> ImageCms.ImageCmsTransform:
    """Return the transform from sRGB to a profile."""
    return ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"),
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        "RGB",
        "RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the transform from a profile to sRGB, or None if it changes no value by more than one level."""
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    space = opened.profile.xcolor_space.strip()
    # gray images made from RGB often keep the RGB profile: it applies to equal channels
    source = "RGB" if mode == "L" and space == "RGB" else mode
    if space != _SPACES[source]:
        raise ValueError(f"it is for {space}, but the image is {_SPACES[source]}")
    transform = ImageCms.buildTransform(
        opened,
        ImageCms.createProfile("sRGB"),
        source,
        "RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    if source == "CMYK":
        return transform
    # an sRGB profile only adds rounding errors
    probe = _probe() if source == "RGB" else np.arange(256, dtype=np.uint8)[None]
    before = Image.fromarray(probe)
    after = ImageCms.applyTransform(before, transform)
    difference = np.asarray(after, int) - np.asarray(before.convert("RGB"), int)
    return None if np.abs(difference).max() <= 1 else transform


def _probe() -> RgbImage:
    """Return an image of 4096 colors spread over the RGB cube."""
    levels = np.arange(0, 256, 17, dtype=np.uint8)
    return np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(64, 64, 3)


def _check_srgb(image: Image.Image, file: DecodedImage) -> None:
    """Raise `DataError` if a file without an ICC profile has colors other than sRGB."""
    if image.mode == "CMYK":
        raise DataError(f"{file.path}: CMYK without an ICC profile, so its colors are unknown; {_REMEDY}")
    info = file.image.info
    if file.coding is not None:
        primaries, transfer = file.coding
        if primaries not in _SRGB_PRIMARIES or transfer not in _SRGB_TRANSFERS:
            raise DataError(
                f"{file.path}: a wide-gamut or HDR image (primaries {primaries}, transfer {transfer} of "
                f"ITU-T H.273); {_REMEDY}"
            )
        return
    if "srgb" in info:
        return
    gamma = info.get("gamma")
    if gamma is not None and abs(gamma - _SRGB_GAMMA) > 0.01:
        raise DataError(f"{file.path}: its gamma is {gamma:g}, not sRGB's 0.45455; {_REMEDY}")
    chromaticity = info.get("chromaticity")
    if chromaticity is not None and not np.allclose(chromaticity, _SRGB_CHROMATICITY, atol=0.005):
        raise DataError(f"{file.path}: its primaries are not sRGB's; {_REMEDY}")
    if _is_adobe_rgb(file.image):
        raise DataError(
            f"{file.path}: Adobe RGB according to its EXIF data, without an ICC profile; {_REMEDY}"
        )


def _is_adobe_rgb(image: Image.Image) -> bool:
    """Return whether EXIF says Adobe RGB: by DCF 2.0's interoperability index R03, or color space 2."""
    exif = image.getexif()
    try:
        index = exif.get_ifd(ExifTags.IFD.Interop).get(1)
    except KeyError:  # Pillow before 13 raises it if the EXIF data has no such index
        index = None
    space = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.ColorSpace)
    return space == 2 or (index is not None and str(index).strip("\0 ") == "R03")
