"""Resizes images, masks and cut-outs."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.components.config import Size
from skinfw.data.segmentation import LabelMap, Mask, RgbImage

NumberT = TypeVar("NumberT", np.uint8, np.float32)

WHITE = 255
"""Value of erased and missing background, in all three channels."""


def _interpolated(values: NDArray[NumberT], size: Size) -> NDArray[NumberT]:
    """Resize each axis with its own filter: averaging if it shrinks, linear if it grows.

    Linear interpolation uses only two pixels, and would skip the others of a shrinking axis.
    """
    height, width = size
    old_height, old_width = values.shape[:2]
    if (height <= old_height) == (width <= old_width) or height == old_height or width == old_width:
        shrinks = height <= old_height and width <= old_width
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return cv2.resize(values, (width, height), interpolation=method).astype(values.dtype, copy=False)
    # the shrinking axis first; in floats, so that integers are rounded only once
    smaller = (min(width, old_width), min(height, old_height))
    averaged = cv2.resize(values.astype(np.float32), smaller, interpolation=cv2.INTER_AREA)
    resized = cv2.resize(averaged, (width, height), interpolation=cv2.INTER_LINEAR)
    if values.dtype == np.uint8:
        resized = np.clip(np.rint(resized), 0, 255)
    return resized.astype(values.dtype, copy=False)


def resize_image(image: RgbImage, size: Size) -> RgbImage:
    """Resize uint8 RGB ``(H, W, 3)`` to ``size`` (height, width): averaged down, linear up.

    The axes are independent: an image may shrink in one direction and grow in the other.
    """
    if image.shape[:2] == size:
        return image
    return _interpolated(image, size)


def resize_labels(labels: LabelMap, size: Size) -> LabelMap:
    """Resize a label map ``(H, W)`` to ``size`` (height, width) by nearest neighbor: no new labels."""
    if labels.shape == size:
        return labels
    resized = cv2.resize(labels, (size[1], size[0]), interpolation=cv2.INTER_NEAREST_EXACT)
    return resized.astype(np.uint8, copy=False)


def coverage(mask: Mask, size: Size) -> NDArray[np.float32]:
    """Return how much of each pixel of the new size the mask covers, float32 in [0, 1].

    Example:
        >>> coverage(np.array([[True, False]]), (1, 1)).tolist()
        [[0.5]]
    """
    return _interpolated(mask.astype(np.float32), size)


def resize_mask(mask: Mask, size: Size) -> Mask:
    """Resize a mask ``(H, W)`` to ``size`` (height, width): sets pixels that are at least half covered."""
    if mask.shape == size:
        return mask
    return coverage(mask, size) >= 0.5


def resize_cutout(image: RgbImage, kept: Mask, size: Size) -> tuple[RgbImage, Mask]:
    """Resize an image that a mask divides, without mixing kept and other pixels.

    Plain resizing would blend the edge with its surroundings into a halo. Here the color of a kept pixel is
    the mean of its kept parts only, and that of any other pixel the mean of its other parts. Two images with
    equal kept pixels still have them after resizing.

    Args:
        image: uint8 RGB ``(H, W, 3)``.
        kept: bool ``(H, W)``.
        size: target height and width in pixels.

    Returns:
        the image, and the mask of pixels that are kept by more than half.
    """
    if image.shape[:2] == size:
        return image, kept
    fraction = coverage(kept, size)
    new_kept = fraction > 0.5
    kept_color = _mean_within(image, kept, fraction)
    return np.where(new_kept[..., None], kept_color, _mean_within(image, ~kept, 1 - fraction)), new_kept


def _mean_within(image: RgbImage, mask: Mask, fraction: NDArray[np.float32]) -> RgbImage:
    """Return the mean of each new pixel's masked parts; ``fraction`` is how much of it they cover."""
    masked = cv2.copyTo(image, mask.astype(np.uint8))
    color = _interpolated(masked.astype(np.float32), fraction.shape) / np.maximum(fraction, 1e-6)[..., None]
    mean: RgbImage = np.clip(color + 0.5, 0, 255).astype(np.uint8)
    return mean


def blank_outside(image: RgbImage, mask: Mask) -> RgbImage:
    """Return a copy of the image that is white outside the mask."""
    return np.where(mask[..., None], image, np.uint8(WHITE))
