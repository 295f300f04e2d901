"""Reads masks, white where set and black elsewhere; rejects others with the reason."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.data.image_file import DecodedImage, decoding, open_image
from skinfw.data.photo import BLACK, flattened
from skinfw.data.segmentation import Mask
from skinfw.errors import DataError

THRESHOLD = 128
"""Minimum gray level that counts as white."""

NEARLY = 64
"""Deviation from black and white that still counts as such, as in JPEG and anti-aliased edges."""

MAX_GRAY = 0.05
"""Maximum fraction of pixels that are neither black nor white."""

_MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX")
_PEAKS = (1, 255, 1023, 4095, 16383, 32767, 65535)
"""The values of white in black-and-white masks of more than 8 bits."""

_MAX_CHROMA = 48
_AREA = 5
_AREA_NEARLY = 32
_FLAT_NEARLY = 8
_SMALL_AREA = 3
_MIN_ALONE, _MAX_ALONE = 16, 0.1
_BORDER = 0.5

_CONVENTION = "a mask is white where it is set and black elsewhere"


def read_mask(path: Path) -> Mask:
    """Read a mask.

    Transparent pixels count as black, so white on transparent is read as it looks. Masks of 0 and 1, or of
    more than 8 bits, are read if they contain only black and white.

    Returns:
        bool ``(H, W)``.

    Raises:
        DataError: as `skinfw.data.image_file.open_image`; or it is unclear which pixels are set: gray
            areas, colors, no white pixel in a mask that is not black, or a transparent hole.
    """
    return mask_of(open_image(path))


def mask_of(file: DecodedImage) -> Mask:
    """Return a decoded mask, bool ``(H, W)``; see `read_mask`."""
    return mask_and_gray(file)[0]


def mask_and_gray(file: DecodedImage) -> tuple[Mask, float]:
    """Return a decoded mask, and the fraction of its pixels that are neither black nor white."""
    path = file.path
    with decoding(path):
        values = _gray(file)
    _check_areas(path, values)
    if not file.lossy:
        _check_bands(path, values)
    _check_dithering(path, values >= THRESHOLD)
    gray = float(((values >= NEARLY) & (values < 256 - NEARLY)).mean())
    if gray > MAX_GRAY:
        raise DataError(f"{path}: {gray:.0%} of its pixels are neither black nor white; {_CONVENTION}")
    lightest, darkest = int(values.max()), int(values.min())
    if 0 < lightest < 256 - NEARLY:
        raise DataError(f"{path}: nothing in it is white (the lightest value is {lightest}); {_CONVENTION}")
    if NEARLY <= darkest < 255:
        raise DataError(f"{path}: nothing in it is black (the darkest value is {darkest}); {_CONVENTION}")
    return values >= THRESHOLD, gray


def _gray(file: DecodedImage) -> NDArray[np.uint8]:
    """Return the mask as gray levels, uint8 ``(H, W)``."""
    path, image = file.path, file.image
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return _black_and_white(file)
    if image.mode not in _MODES:
        raise DataError(f"{path}: a mask of mode {image.mode}; save it as a grayscale PNG")
    if image.mode in ("L", "1") and not file.has_alpha:
        return _full_range(np.asarray(image.convert("L"), np.uint8), file)
    alpha = None
    if file.has_alpha:
        layers = np.asarray(image.convert("RGBA"), np.uint8)
        colors, alpha = layers[..., :3], layers[..., 3]
    else:
        colors = np.asarray(image.convert("RGB"), np.uint8)
    colors = flattened(colors, alpha, BLACK)
    lightest, darkest = colors.max(axis=2), colors.min(axis=2)
    colored = lightest.astype(np.int16) - darkest > _MAX_CHROMA
    if colored.mean() > MAX_GRAY or _has_area(colored):
        y, x = np.argwhere(colored)[0]
        value = ",".join(map(str, colors[y, x]))
        raise DataError(f"{path}: the pixel x={x}, y={y} has the color {value}; {_CONVENTION}")
    values: NDArray[np.uint8] = colors[..., 1]
    if alpha is not None:
        _check_alpha(path, alpha, values)
        return values
    return _full_range(values, file)


def _full_range(values: NDArray[np.uint8], file: DecodedImage) -> NDArray[np.uint8]:
    """Return gray levels of 0 to 255, also of a mask of 0 and 1."""
    return values * np.uint8(255) if not file.lossy and values.max() == 1 else values


def _check_alpha(path: Path, alpha: NDArray[np.uint8], values: NDArray[np.uint8]) -> None:
    """Reject a mask whose alpha channel contradicts its visible pixels."""
    clear = alpha < THRESHOLD
    if clear.all():
        raise DataError(f"{path}: is fully transparent; {_CONVENTION}")
    if not clear.any():
        return
    if not (values >= THRESHOLD).any():
        raise DataError(
            f"{path}: is black where it is opaque, so either may be the skin; {_CONVENTION}, without "
            "transparency"
        )
    border = np.concatenate([clear[0], clear[-1], clear[:, 0], clear[:, -1]])
    shows_black = (values < THRESHOLD) & ~clear
    if not shows_black.any() and border.mean() < _BORDER:
        raise DataError(
            f"{path}: is white with a transparent hole, so either may be the skin; {_CONVENTION}, without "
            "transparency"
        )


def _black_and_white(file: DecodedImage) -> NDArray[np.uint8]:
    """Return a mask of more than 8 bits or of numbers, which must contain only 0 and one known value."""
    values = np.asarray(file.image)
    if file.image.info.get("transparency") is not None:
        raise DataError(f"{file.path}: a mask of 16 bits with a transparent value; save it as an 8-bit PNG")
    found = np.unique(values)
    peak = found[-1]
    peaks = _PEAKS[:1] if file.bits == 1 else _PEAKS
    if (peak != 0 and peak not in peaks) or set(found.tolist()) - {0, peak.item()}:
        shown = ", ".join(f"{value:g}" for value in found[:5]) + (" and more" if len(found) > 5 else "")
        raise DataError(
            f"{file.path}: a mask of {file.bits} bits with the values {shown}; save it as an 8-bit PNG, "
            "white where it is set and black elsewhere"
        )
    set_ = (values != 0) ^ file.zero_is_white
    return np.where(set_, 255, 0).astype(np.uint8)


def _check_areas(path: Path, values: NDArray[np.uint8]) -> None:
    """Reject gray areas, which must have a meaning; edges may be gray."""
    kernel = np.ones((_AREA, _AREA), np.uint8)
    lowest, highest = cv2.erode(values, kernel), cv2.dilate(values, kernel)
    between = (lowest >= _AREA_NEARLY) & (highest < 256 - _AREA_NEARLY)
    flat = (lowest == highest) & (lowest >= _FLAT_NEARLY) & (highest < 256 - _FLAT_NEARLY)
    _reject_gray(path, values, between | flat, _AREA)


def _check_bands(path: Path, values: NDArray[np.uint8]) -> None:
    """Reject narrow bands of one gray, such as the unknown region of a trimap: they are not edges either."""
    kernel = np.ones((_SMALL_AREA, _SMALL_AREA), np.uint8)
    flat = cv2.erode(values, kernel) == cv2.dilate(values, kernel)
    gray = (values >= NEARLY) & (values < 256 - NEARLY)
    _reject_gray(path, values, flat & gray, _SMALL_AREA)


def _reject_gray(path: Path, values: NDArray[np.uint8], areas: Mask, side: int) -> None:
    inner = _inner(areas, side)
    if inner.any():
        y, x = np.argwhere(inner)[0] + side // 2
        raise DataError(
            f"{path}: an area around x={x}, y={y} is gray ({values[y, x]}), neither black nor white; "
            f"{_CONVENTION}"
        )


def _check_dithering(path: Path, mask: Mask) -> None:
    """Reject dithered gray, as Pillow makes for mode 1."""
    cross = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.uint8)
    beside = cv2.filter2D(mask.astype(np.uint8), -1, cross)
    alone = np.count_nonzero(np.where(mask, beside == 0, beside == 4))
    if alone >= _MIN_ALONE and alone > _MAX_ALONE * np.count_nonzero(mask):
        raise DataError(
            f"{path}: {alone:,} pixels are isolated, as in dithered gray; {_CONVENTION}: "
            "save it without dithering"
        )


def _has_area(found: Mask) -> bool:
    eroded = cv2.erode(found.astype(np.uint8), np.ones((_AREA, _AREA), np.uint8))
    return bool(_inner(eroded, _AREA).any())


def _inner(areas: NDArray[np.generic], side: int) -> NDArray[np.generic]:
    """Return the positions whose whole neighborhood is in the image."""
    edge = side // 2
    return areas[edge:-edge, edge:-edge]
