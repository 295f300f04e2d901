"""Sums over squares of pixels, and eroded masks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def box_sums(values: NDArray[np.floating], radius: int) -> NDArray[np.floating]:
    """Return the sums over squares of ``2 * radius + 1`` pixels around each pixel, ``(H, W, C)``."""
    for axis in (0, 1):
        around = [(radius + 1, radius) if each == axis else (0, 0) for each in (0, 1, 2)]
        sums = np.pad(values, around).cumsum(axis=axis, dtype=np.float64)
        length = 2 * radius + 1
        ahead, behind = (
            (sums[length:], sums[:-length]) if axis == 0 else (sums[:, length:], sums[:, :-length])
        )
        values = ahead - behind
    return values


def eroded(mask: NDArray[np.bool_], margin: int) -> NDArray[np.bool_]:
    """Return the mask without the pixels within ``margin`` pixels, diagonals included, of its border.

    The border of the image is not one of the mask.

    Example:
        >>> eroded(np.array([[True, True, True, False, True]]), 1).tolist()
        [[True, True, False, False, False]]
    """
    length = 2 * margin + 1
    for axis in (0, 1):
        padding = [(margin, margin) if each == axis else (0, 0) for each in (0, 1)]
        mask = np.moveaxis(np.pad(mask, padding, mode="edge"), axis, 0)
        # each pass doubles the run; the last two overlap
        run = 1
        while run < length:
            step = min(run, length - run)
            mask = mask[:-step] & mask[step:]
            run += step
        mask = np.moveaxis(mask, 0, axis)
    return mask
