"""Where an output differs from its target, as a heat map."""

from __future__ import annotations

from functools import cache

import numpy as np
from matplotlib import colormaps

from skinfw.data.segmentation import RgbImage

ERROR_FULL = 64
"""Error, of 255, at the last color; the scale is fixed so that reports are comparable."""


@cache
def _colors() -> RgbImage:
    """Return the colors of errors from 0 to `ERROR_FULL`, uint8 RGB ``(256, 3)``: black to light yellow."""
    return np.asarray(colormaps["inferno"](np.arange(256), bytes=True)[:, :3], np.uint8)


def error_image(output: RgbImage, target: RgbImage) -> RgbImage:
    """Draw ``|output - target|``, mean over the channels, as a heat map.

    Args:
        output: uint8 RGB ``(H, W, 3)``.
        target: uint8 RGB ``(H, W, 3)``.

    Returns:
        uint8 RGB ``(H, W, 3)``; errors of `ERROR_FULL` and more have the last color.
    """
    error = np.abs(output.astype(np.float64) - target).mean(axis=2)
    levels = np.clip(np.rint(error / ERROR_FULL * 255), 0, 255).astype(np.uint8)
    return np.asarray(_colors()[levels], np.uint8)


def error_legend() -> str:
    """Return the colors of errors as a CSS gradient from left to right."""
    stops = (f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in _colors()[::17])
    return f"linear-gradient(to right, {', '.join(stops)})"
