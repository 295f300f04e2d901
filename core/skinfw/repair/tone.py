"""Skin colors of a photo and a result: their difference, and moving the one to the other."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from skinfw.data.segmentation import Mask, RgbImage
from skinfw.data.skin_color import MIN_PIXELS, lab
from skinfw.evaluation.ciede2000 import ciede2000

Colors = NDArray[np.float32]
"""L*, a* and b* under D65, ``(N, 3)``."""


def lab_of(image: RgbImage, where: Mask) -> Colors:
    """Return the colors of an image, uint8 RGB ``(H, W, 3)``, on a mask: float32 ``(N, 3)`` in CIE Lab."""
    colors: Colors = lab(image[where][None])[0] if where.any() else np.zeros((0, 3), np.float32)
    return colors


def color_differences(one: Colors, other: Colors) -> NDArray[np.float32]:
    """Return the color differences CIEDE2000 of colors ``(N, 3)`` in CIE Lab, float32 ``(N,)``.

    Example:
        >>> pair = np.array([[[50, 2.6772, -79.7751]], [[50, 0, -82.7485]]], np.float32)
        >>> color_differences(*pair).round(2).tolist()
        [2.0399999618530273]
    """
    pair = (torch.from_numpy(np.ascontiguousarray(each.T))[None, :, :, None] for each in (one, other))
    differences: NDArray[np.float32] = ciede2000(*pair)[0, 0, :, 0].numpy()
    return differences


def mean_difference(one: RgbImage, other: RgbImage, where: Mask) -> float | None:
    """Return the mean CIEDE2000 of two images, uint8 RGB ``(H, W, 3)``, on a mask; None if it is empty."""
    if not where.any():
        return None
    return float(color_differences(lab_of(one, where), lab_of(other, where)).mean())


def tone_shift(
    person: RgbImage, result: RgbImage, seen_in_both: Mask, skin: tuple[Mask, Mask]
) -> Colors | None:
    """Return by how much the skin of a photo differs in color from the result's, float32 ``(3,)`` in CIE Lab.

    Where both show the same skin, it is the median of the differences; with too little such skin, the
    difference of the two medians.

    Args:
        person: the photo on the result's pixels, uint8 RGB ``(H, W, 3)``.
        result: the result, uint8 RGB ``(H, W, 3)``.
        seen_in_both: where both show the same skin, bool ``(H, W)``.
        skin: the skin of the photo and of the result, bool ``(H, W)`` each.

    Returns:
        None if photo or result show fewer than `MIN_PIXELS` of skin.
    """
    if np.count_nonzero(seen_in_both) >= MIN_PIXELS:
        differences = lab_of(person, seen_in_both) - lab_of(result, seen_in_both)
        return np.asarray(np.median(differences, axis=0), np.float32)
    if min(np.count_nonzero(each) for each in skin) < MIN_PIXELS:
        return None
    shown, found = (np.median(lab_of(*pair), axis=0) for pair in zip((person, result), skin, strict=True))
    return np.asarray(shown - found, np.float32)


def shifted(image: RgbImage, where: Mask, shift: Colors) -> RgbImage:
    """Return an image with the colors of a mask moved in CIE Lab; all other pixels keep their values."""
    moved = image.copy()
    if where.any():
        colors = cv2.cvtColor((lab_of(image, where) + shift)[None], cv2.COLOR_Lab2RGB)[0]
        moved[where] = np.rint(colors.clip(0, 1) * 255).astype(np.uint8)
    return moved
