"""The structure of a result's own new skin, in the tone of the painted one."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.data.segmentation import Mask, RgbImage
from skinfw.data.skin_color import MIN_PIXELS, lab
from skinfw.repair.pair import EDGE
from skinfw.repair.regions import WINDOW

NATURAL = 0.75
"""Quantile of the structure of other skin. More counts as traces of the old clothes: full weight up to it,
none from twice as much."""

Colors = NDArray[np.float32]
"""CIE Lab, float32 ``(H, W, 3)``."""


def with_own_structure(
    painted: RgbImage, image: RgbImage, mask: Mask, skin: Mask
) -> tuple[RgbImage, NDArray[np.float32]]:
    """Return painted skin with the structure of the skin that a result already shows there.

    A result's new skin has the wrong tone, as the color of the old sleeve leaks into it, but the light on the
    arm, its elbow and its edge are mostly right, and a network only guesses them. So what varies over the
    width of an arm comes from the painted image, and what is finer from the result, unless it is more than on
    other skin, as a leftover pattern is.

    Args:
        painted: the painted image, uint8 RGB ``(H, W, 3)``.
        image: the image before, likewise.
        mask: what was painted, bool ``(H, W)``.
        skin: the other skin of the image, bool ``(H, W)``; the painted image stays as it is if it is small.

    Returns:
        the image, uint8 RGB ``(H, W, 3)``, which equals ``painted`` outside the mask; and how much of the
        structure is the result's, float32 ``(H, W)`` in [0, 1].
    """
    weight = np.zeros(mask.shape, np.float32)
    if not mask.any() or np.count_nonzero(skin) < MIN_PIXELS:
        return painted, weight
    before, after = lab(image), lab(painted)
    side = 2 * max(1, round(WINDOW * mask.shape[0] / 2)) + 1
    usual = (before - _mean(before, skin, side))[skin]
    limit = max(float(np.quantile(np.linalg.norm(usual, axis=1), NATURAL)), 1e-3)
    structure = before - _mean(before, mask, side)
    near = 2 * max(1, round(EDGE * mask.shape[0])) + 1
    strength = np.sqrt(_mean((structure**2).sum(axis=2, keepdims=True), mask, near))[..., 0]
    weight[mask] = np.clip(2 - strength[mask] / limit, 0, 1)
    mixed = after + weight[..., None] * (_mean(after, mask, side) + structure - after)
    out = painted.copy()
    colors = cv2.cvtColor(mixed[mask][None].astype(np.float32), cv2.COLOR_Lab2RGB)[0]
    out[mask] = np.rint(colors.clip(0, 1) * 255).astype(np.uint8)
    return out, weight


def _mean(values: Colors, mask: Mask, side: int) -> Colors:
    """Return the mean of the masked values around each pixel, weighted by a tent as wide as two sides."""
    weight = mask.astype(np.float32)[..., None]
    layers = np.concatenate([values * weight, weight], axis=2)
    for _ in range(2):
        layers = np.asarray(cv2.blur(layers, (side, side), borderType=cv2.BORDER_CONSTANT), np.float32)
    mean: Colors = layers[..., :-1] / np.maximum(layers[..., -1:], np.float32(1e-6))
    return mean
