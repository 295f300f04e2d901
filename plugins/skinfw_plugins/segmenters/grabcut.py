"""Outlines with GrabCut (Rother, Kolmogorov and Blake 2004), from a rough location."""

from __future__ import annotations

import cv2
import numpy as np

from skinfw.data.segmentation import Mask, RgbImage
from skinfw_plugins.segmenters.detection import Area

LONGEST_SIDE = 256
"""Maximum longer side in pixels for GrabCut: above it, GrabCut takes seconds and sees texture."""

_INSIDE = (cv2.GC_FGD, cv2.GC_PR_FGD)


def refined(image: RgbImage, found: Area, part: Area, core: float, iterations: int) -> Mask:
    """Return the outline of a part, bool ``(H, W)``.

    The part's ellipse is probably foreground, its core certainly. Everything outside the part's rectangle,
    enlarged to fit hair, is certainly background, and so is the middle below the part, where a head has its
    neck. If a photo shows nothing but the part, the ellipse is the outline.

    Args:
        image: uint8 RGB ``(H, W, 3)``.
        found: the detection.
        part: the rectangle of the part, usually larger than the detection.
        core: fraction of the part's height and width that is certain.
        iterations: iterations of GrabCut.
    """
    size = (image.shape[0], image.shape[1])
    ellipse = part.ellipse(size)
    marks = np.full(size, cv2.GC_BGD, np.uint8)
    around = part.grown(0.2, 0.5, 0.45)
    marks[around.slices(size)] = cv2.GC_PR_BGD
    neck = Area(part.bottom, around.bottom, *_middle(found))
    marks[neck.slices(size)] = cv2.GC_BGD
    marks[ellipse] = cv2.GC_PR_FGD
    if core > 0:
        inset = (core - 1) / 2
        marks[part.grown(inset, inset, inset).ellipse(size)] = cv2.GC_FGD
    window = around.grown(0.15, 0.15, 0.15).slices(size)
    outline = np.zeros(size, bool)
    outline[window] = _cut(image[window], marks[window], iterations)
    return outline


def _middle(found: Area) -> tuple[float, float]:
    inset = 0.1 * (found.right - found.left)
    return found.left + inset, found.right - inset


def _cut(image: RgbImage, marks: RgbImage, iterations: int) -> Mask:
    """Run GrabCut on a window, downscaled if it is large."""
    height, width = marks.shape
    wanted = np.isin(marks, _INSIDE)
    if wanted.all() or not wanted.any():  # only one kind of color: nothing to cut
        return wanted
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    colors = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    states = cv2.resize(marks, small, interpolation=cv2.INTER_NEAREST_EXACT)
    cv2.setRNGSeed(0)  # GrabCut starts with k-means from random centers
    try:
        cv2.grabCut(
            np.ascontiguousarray(colors[..., ::-1]), states, (0, 0, 0, 0),
            np.zeros((1, 65)), np.zeros((1, 65)), iterations, cv2.GC_INIT_WITH_MASK,
        )  # fmt: skip
    except cv2.error:  # very few pixels, or all of one color
        return wanted
    cut = np.isin(states, _INSIDE).astype(np.float32)
    return np.asarray(cv2.resize(cut, (width, height), interpolation=cv2.INTER_LINEAR) >= 0.5)
