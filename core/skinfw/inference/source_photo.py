"""A photo to paint: its colors for the networks, and its own pixels, which are kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from skinfw.data.color_profile import from_srgb
from skinfw.data.image_file import MAX_PIXELS, DecodedImage, decoding, open_image, turned_upright
from skinfw.data.photo import WHITE, Photo, flattened, image_of
from skinfw.data.segmentation import RgbImage
from skinfw.errors import DataError
from skinfw.inference.capture_data import capture_data

ImageLike = Image.Image | NDArray[np.uint8] | DecodedImage | str | Path
"""An image in memory or a file."""

MIN_SIDE, MAX_SIDE = 64, 10_000
"""Minimum and maximum height and width of a photo in pixels."""

_IN_MEMORY = Path("the image")
_OWN_MODES = ("RGB", "RGBA", "P", "PA", "L", "LA", "1")


@dataclass(frozen=True)
class SourcePhoto:
    """A photo to paint.

    Attributes:
        photo: what the networks see: uint8 sRGB, upright, on white.
        own: the pixels to keep, in the photo's own color space, uint8 RGB ``(H, W, 3)``, upright.
        alpha: its opacity, uint8 ``(H, W)``, or None.
        icc: the ICC profile of ``own``; None for sRGB.
        converted: why ``own`` is not what the file holds; empty if it is.
        exif: how and when it was taken, see `skinfw.inference.capture_data`; None if unknown.
    """

    photo: Photo
    own: RgbImage
    alpha: NDArray[np.uint8] | None
    icc: bytes | None
    converted: str = ""
    exif: bytes | None = None

    @property
    def where(self) -> Path:
        """Names the photo in errors."""
        return self.photo.path or _IN_MEMORY

    def in_own_colors(self, pixels: RgbImage) -> RgbImage:
        """Return sRGB pixels, uint8 ``(H, W, 3)``, in the photo's own color space."""
        return pixels if self.icc is None else from_srgb(pixels, self.icc)


def decoded(image: ImageLike) -> DecodedImage:
    """Open a file, or wrap an image in memory as if it came from one.

    Args:
        image: a file, an image of Pillow, or uint8 RGB, RGBA ``(H, W, C)`` or gray ``(H, W)``.

    Raises:
        DataError: as `skinfw.data.image_file.open_image`, or the array has another shape or type.
    """
    if isinstance(image, str | Path):
        return open_image(Path(image))
    if isinstance(image, DecodedImage):
        return image
    if isinstance(image, np.ndarray):
        fits = image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (3, 4))
        if image.dtype != np.uint8 or not fits:
            raise DataError(
                f"{_IN_MEMORY}: an array of {image.dtype} {image.shape}; give uint8 (H, W, 3), (H, W, 4) or "
                "(H, W)"
            )
        image = Image.fromarray(image)
    if image.width * image.height > MAX_PIXELS:
        raise DataError(f"{_IN_MEMORY}: more than {MAX_PIXELS:,} pixels; make the image smaller")
    found = image.getexif().get(ExifTags.Base.Orientation)
    orientation = found if found in range(1, 9) else None
    upright = turned_upright(image, orientation)
    upright.info.update(image.info)
    bits = 16 if image.mode.startswith("I;16") else 8
    path = Path(str(getattr(image, "filename", "") or _IN_MEMORY))
    return DecodedImage(path, upright, orientation, lossy=False, bits=bits, zero_is_white=False, coding=None)


def read_source(image: ImageLike) -> SourcePhoto:
    """Read a photo to paint.

    Args:
        image: a file or an image in memory; it may have an EXIF orientation, an alpha channel and an ICC
            profile.

    Raises:
        DataError: as `skinfw.data.photo.read_image`, or a side is below `MIN_SIDE` or above `MAX_SIDE`.
    """
    file = decoded(image)
    width, height = file.image.size
    if min(width, height) < MIN_SIDE or max(width, height) > MAX_SIDE:
        raise DataError(
            f"{file.path}: {height}x{width} pixels (height x width); photos of {MIN_SIDE} to {MAX_SIDE:,} "
            "pixels a side can be painted"
        )
    colors, alpha = image_of(file)
    path = Path(image) if isinstance(image, str | Path) else None
    photo = Photo(flattened(colors, alpha, WHITE), path, file.orientation or 1)
    source = SourcePhoto(photo, colors, alpha, None, exif=capture_data(file.image))
    return _with_own_pixels(source, file)


def _with_own_pixels(source: SourcePhoto, file: DecodedImage) -> SourcePhoto:
    """Return a photo with the pixels and the profile of its file, where RGB of 8 bits can hold them."""
    profile = file.image.info.get("icc_profile")
    gray = file.image.mode in ("L", "LA", "1")
    if file.image.mode not in _OWN_MODES or file.bits > 8:
        return replace(source, converted=f"{file.image.mode} of {file.bits} bits is written as 8-bit sRGB")
    if profile and gray:
        return replace(source, converted="gray with an ICC profile is written as sRGB")
    with decoding(file.path):
        image = file.image.convert("RGBA").convert("RGB") if file.has_alpha else file.image.convert("RGB")
        return replace(source, own=np.asarray(image, np.uint8), icc=profile or None)
