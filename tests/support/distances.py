"""Distances that need no formula: an independent reference."""

from __future__ import annotations

import numpy as np


def distance(begin: np.ndarray, end: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Return the distance of each pixel from a line, by the nearest of many points on it.

    Args:
        begin: one end (x, y) in pixels.
        end: the other end.
        size: height and width of the image in pixels.
    """
    points = np.linspace(begin, end, 200)
    y, x = np.mgrid[: size[0], : size[1]]
    return np.sqrt(((x[..., None] - points[:, 0]) ** 2 + (y[..., None] - points[:, 1]) ** 2).min(axis=-1))
