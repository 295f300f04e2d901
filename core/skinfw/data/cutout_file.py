"""Reads cut-outs: an image and its keep mask."""

from __future__ import annotations

from pathlib import Path

from skinfw.data.image_file import DecodedImage, open_image
from skinfw.data.photo import image_of
from skinfw.data.resize import blank_outside
from skinfw.data.segmentation import Mask, RgbImage
from skinfw.errors import DataError

WHITE_TOLERANCE = 16
"""Without an alpha channel, pixels at most this far below 255 in every channel count as erased: JPEG does not
preserve white exactly."""

_OPAQUE = 128


def read_cutout(path: Path) -> tuple[RgbImage, Mask]:
    """Read an image with an erased background; see `cutout_of`."""
    return cutout_of(open_image(path))


def cutout_of(file: DecodedImage) -> tuple[RgbImage, Mask]:
    """Return a decoded cut-out and its keep mask.

    An alpha channel marks the pixels to keep. If it is missing (the report's JPEG files), or it is opaque
    everywhere, all pixels that are not nearly white are kept. White clothes then look like background,
    so no pixel of such an image is changed.

    Returns:
        the image, uint8 sRGB ``(H, W, 3)``, with white where it is transparent, and the keep mask, bool
        ``(H, W)``.

    Raises:
        DataError: as `skinfw.data.photo.read_image`, or no pixel is kept.
    """
    image, alpha = image_of(file)
    if alpha is not None and alpha.min() < _OPAQUE:
        kept = alpha >= _OPAQUE
        image = blank_outside(image, kept)
    else:
        kept = image.min(axis=2) < 255 - WHITE_TOLERANCE
    if not kept.any():
        raise DataError(f"{file.path}: nothing is kept: it is white or transparent everywhere")
    return image, kept
