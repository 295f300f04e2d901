"""Resizing images, masks and cut-outs to the size that training asks for."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.components.config import Size
from skinfw.data.segmentation import LabelMap, Mask, RgbImage

NumberT = TypeVar("NumberT", np.uint8, np.float32)

WHITE = 255
"""Value of the erased and of the absent background, in all three channels."""


def _interpolated(values: NDArray[NumberT], size: Size) -> NDArray[NumberT]:
    """Resize each axis by its own filter: averaged where it shrinks, linear where it grows.

    Linear interpolation looks at two pixels only, and would skip the others of an axis that shrinks.
    """
    height, width = size
    old_height, old_width = values.shape[:2]
    if (height <= old_height) == (width <= old_width) or height == old_height or width == old_width:
        shrinks = height <= old_height and width <= old_width
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return cv2.resize(values, (width, height), interpolation=method).astype(values.dtype, copy=False)
    # the axis that shrinks goes first; in floats, so that whole numbers are rounded only once
    smaller = (min(width, old_width), min(height, old_height))
    averaged = cv2.resize(values.astype(np.float32), smaller, interpolation=cv2.INTER_AREA)
    resized = cv2.resize(averaged, (width, height), interpolation=cv2.INTER_LINEAR)
    if values.dtype == np.uint8:
        resized = np.clip(np.rint(resized), 0, 255)
    return resized.astype(values.dtype, copy=False)


def resize_image(image: RgbImage, size: Size) -> RgbImage:
    """Resize uint8 RGB ``(H, W, 3)`` to ``size`` (height, width): averaged down, linear up.

    Each axis counts on its own: an image may shrink one way and grow the other.
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
    """Resize a mask ``(H, W)`` to ``size`` (height, width): set where at least half a pixel is covered."""
    if mask.shape == size:
        return mask
    return coverage(mask, size) >= 0.5


def resize_cutout(image: RgbImage, kept: Mask, size: Size) -> tuple[RgbImage, Mask]:
    """Resize an image that a mask divides, without mixing what is kept with what is not.

    Plain resizing would blend the edge with its surroundings: a halo. Here the color of a kept pixel is the
    mean of its kept parts alone, that of any other pixel the mean of its other parts. Two images that are
    equal where they are kept are so afterwards.

    Args:
        image: uint8 RGB ``(H, W, 3)``.
        kept: bool ``(H, W)``.
        size: height and width wanted, in pixels.

    Returns:
        the image, and the mask: set where more than half a pixel is kept.
    """
    if image.shape[:2] == size:
        return image, kept
    fraction = coverage(kept, size)
    new_kept = fraction > 0.5
    kept_color = _mean_within(image, kept, fraction)
    return np.where(new_kept[..., None], kept_color, _mean_within(image, ~kept, 1 - fraction)), new_kept


def _mean_within(image: RgbImage, mask: Mask, fraction: NDArray[np.float32]) -> RgbImage:
    """Return the mean of each new pixel's masked parts, of which there are as much as ``share`` says."""
    masked = cv2.copyTo(image, mask.astype(np.uint8))
    color = _interpolated(masked.astype(np.float32), fraction.shape) / np.maximum(fraction, 1e-6)[..., None]
    mean: RgbImage = np.clip(color + 0.5, 0, 255).astype(np.uint8)
    return mean


def blank_outside(image: RgbImage, mask: Mask) -> RgbImage:
    """Return a copy of the image that is white outside the mask."""
    return np.where(mask[..., None], image, np.uint8(WHITE))
