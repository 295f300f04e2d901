"""Reads photos as upright 8-bit sRGB; rejects others with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skinfw.data.color_profile import to_srgb
from skinfw.data.image_file import DecodedImage, decoding, open_image
from skinfw.data.segmentation import RgbImage
from skinfw.errors import DataError

WHITE, BLACK = 255, 0

_FULL = 2**16 - 1
_MIN_PEAK = 2**14
"""A 16-bit photo that stays below has values of 14 bits or fewer, and its white is unknown."""

_UNKNOWN = {
    "F": "floating-point samples with unknown white and transfer function",
    "I": "signed or 32-bit samples with unknown white",
    "LAB": "CIE Lab colors with unknown reference white",
    "YCbCr": "uncompressed YCbCr with unknown coefficients and range",
}


@dataclass(frozen=True)
class Photo:
    """A photo and its source.

    Attributes:
        pixels: uint8 sRGB ``(H, W, 3)``, upright.
        path: the file it was read from, or None for a photo in memory.
        orientation: the EXIF orientation used to turn it upright, 1 to 8.
    """

    pixels: RgbImage
    path: Path | None = None
    orientation: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @classmethod
    def read(cls, path: Path) -> Photo:
        """Read a photo from a file; see `read_image` for the errors."""
        file = open_image(path)
        return cls(flattened(*image_of(file), WHITE), path, file.orientation or 1)


def read_image(path: Path, background: int = WHITE) -> RgbImage:
    """Read a photo or drawing, converted to sRGB by its ICC profile and upright by its EXIF orientation.

    Args:
        path: the file.
        background: the gray level, 0 to 255, behind transparent pixels.

    Returns:
        uint8 sRGB ``(H, W, 3)``.

    Raises:
        DataError: as `skinfw.data.image_file.open_image`; or its values are ambiguous: floating
            point, fewer bits than it says, an unknown color space, a damaged ICC profile; or it is
            fully transparent.
    """
    return flattened(*image_of(open_image(path)), background)


def image_of(file: DecodedImage) -> tuple[RgbImage, NDArray[np.uint8] | None]:
    """Return a decoded photo's colors, uint8 sRGB ``(H, W, 3)``, and its alpha, uint8 ``(H, W)`` or None.

    Raises:
        DataError: as `read_image`.
    """
    with decoding(file.path):
        return _colors_and_alpha(file)


def _colors_and_alpha(file: DecodedImage) -> tuple[RgbImage, NDArray[np.uint8] | None]:
    image = file.image
    if image.mode in _UNKNOWN:
        raise DataError(f"{file.path}: {_UNKNOWN[image.mode]}; save it as 8-bit sRGB")
    alpha = None
    if file.has_alpha:
        layers = _with_alpha(file)
        alpha = np.asarray(layers.getchannel("A"), np.uint8)
        if not alpha.any():
            raise DataError(f"{file.path}: is fully transparent")
        image = layers.convert("L" if layers.mode == "LA" else "RGB")
    if image.mode.startswith("I;16"):
        image = _eight_bits(file)
    elif file.bits > 8:
        _check_peak(file, int(np.asarray(image).max(initial=0)) << 8)
    if image.mode not in ("RGB", "L", "CMYK"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    return np.asarray(to_srgb(image, file), np.uint8), alpha


def flattened(colors: RgbImage, alpha: NDArray[np.uint8] | None, background: int) -> RgbImage:
    """Blend colors, uint8 ``(H, W, 3)``, with a gray background by alpha, uint8 ``(H, W)``."""
    if alpha is None:
        return colors
    fraction = alpha[..., None].astype(np.float32) / 255
    laid: RgbImage = (colors * fraction + background * (1 - fraction) + 0.5).astype(np.uint8)
    return laid


def _with_alpha(file: DecodedImage) -> Image.Image:
    """Return an image with an alpha channel as LA or RGBA."""
    image = file.image
    if image.mode.startswith("I;16"):
        clear = np.asarray(image) == image.info["transparency"]
        gray = _eight_bits(file)
        return Image.merge("LA", [gray, Image.fromarray(np.where(clear, 0, 255).astype(np.uint8))])
    return image.convert("LA" if image.mode in ("LA", "La") else "RGBA")


def _eight_bits(file: DecodedImage) -> Image.Image:
    values = np.asarray(file.image, np.uint16)
    peak = _FULL
    if not 1 <= file.bits <= 16:
        raise DataError(f"{file.path}: cannot be read: {file.bits} bits per sample")
    if file.bits < 16:  # Pillow does not scale 12-bit TIFFs
        peak = 2**file.bits - 1
    else:
        _check_peak(file, int(values.max(initial=0)))
    if file.zero_is_white:  # Pillow inverts 8-bit images, but not 16-bit ones
        values = peak - values
    return Image.fromarray((values / peak * 255 + 0.5).astype(np.uint8))


def _check_peak(file: DecodedImage, peak: int) -> None:
    if peak < _MIN_PEAK:
        raise DataError(
            f"{file.path}: 16 bits per sample, but no value reaches {_MIN_PEAK} of {_FULL}: it seems to have "
            "fewer bits, and its white is unknown; save it with 8 bits"
        )
