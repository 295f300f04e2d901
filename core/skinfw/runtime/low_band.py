"""The low band of a painted photo: a small image, enlarged without what is beside the skin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skinfw.runtime.box import Box, cut

Colors = NDArray[np.float32]
"""Colors ``(H, W, 3)``, 0 to 255."""

Weight = NDArray[np.float32]
"""Weights ``(H, W)`` in [0, 1]."""

_CELLS = 32
"""Cells on the longer side of an image between which `nearness` measures distances."""

_FILLED = 0.05
"""Minimum weight of a cell that counts as near."""


def resampled(
    values: NDArray[np.float32],
    size: tuple[int, int],
    method: Image.Resampling,
    part: tuple[float, float, float, float] | None = None,
) -> NDArray[np.float32]:
    """Resample float32 ``(H, W)`` or ``(H, W, C)`` with one of Pillow's filters.

    Args:
        values: the values.
        size: target height and width in pixels.
        method: the filter; if the image shrinks, it covers all pixels.
        part: left, top, right and bottom of the part to resample, in pixels of ``values``; None for all.
    """
    if values.ndim == 3:
        planes = [resampled(values[..., plane], size, method, part) for plane in range(values.shape[2])]
        return np.stack(planes, axis=-1)
    image = Image.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(image.resize((size[1], size[0]), method, box=part), np.float32)


def extended(colors: Colors, weight: Weight) -> Colors:
    """Fill the pixels with little weight from those with more, near ones first.

    The image is halved until every pixel has full weight, and each level takes from the coarser one what it
    lacks (pull-push). Where the weight is 1 nothing changes; without any weight the result is 0.

    Example:
        >>> row = np.array([[[8.0], [0.0], [0.0], [0.0]]], np.float32)
        >>> extended(row, np.array([[1.0, 0.0, 0.0, 0.0]], np.float32))[..., 0].tolist()
        [[8.0, 8.0, 8.0, 8.0]]
    """
    if weight.min() >= 1 or max(weight.shape) == 1:
        return np.where(weight[..., None] > 0, colors, np.float32(0))
    pad = [(0, side % 2) for side in weight.shape]
    padded_weight = np.pad(weight, pad)
    padded = np.pad(colors, [*pad, (0, 0)])
    total = _quartets(padded_weight[..., None]).sum(axis=(1, 3))
    mean = _quartets(padded * padded_weight[..., None]).sum(axis=(1, 3)) / np.maximum(total, 1e-12)
    coarse = extended(mean.astype(np.float32), np.minimum(total[..., 0], 1).astype(np.float32))
    wide = resampled(coarse, padded_weight.shape, Image.Resampling.BILINEAR)
    wide = wide[: weight.shape[0], : weight.shape[1]]
    part = weight[..., None]
    return (part * colors + (1 - part) * wide).astype(np.float32)


def nearness(weight: Weight, reach: float) -> Weight:
    """Return 1 where the weight is, falling to 1/e at a distance from it; all 0 without any weight.

    Args:
        weight: weights of the pixels.
        reach: that distance, as a fraction of the image's longer side.

    Example:
        >>> row = np.zeros((1, 32), np.float32)
        >>> row[0, 0] = 1
        >>> [f"{value:.2f}" for value in nearness(row, 1 / 8)[0, [0, 4, 8]]]
        ['1.00', '0.37', '0.14']
    """
    cell = max(1.0, max(weight.shape) / _CELLS)
    grid = max(1, round(weight.shape[0] / cell)), max(1, round(weight.shape[1] / cell))
    cells = np.indices(grid).reshape(2, -1).T
    filled = cells[resampled(weight, grid, Image.Resampling.BOX).reshape(-1) > _FILLED]
    if not len(filled):
        return np.zeros_like(weight)
    apart = np.sqrt(((cells[:, None] - filled) ** 2).sum(axis=-1).min(axis=1))
    near = np.exp(-apart * cell / max(weight.shape) / reach).astype(np.float32)
    return resampled(near.reshape(grid), (weight.shape[0], weight.shape[1]), Image.Resampling.BILINEAR)


def smoothed(colors: Colors) -> Colors:
    """Smooth an image by a binomial filter with a standard deviation of one pixel.

    It removes checkerboard artifacts, which transposed convolutions leave (Odena, Dumoulin and Olah,
    Deconvolution and Checkerboard Artifacts, Distill 2016).

    Example:
        >>> row = np.array([[[0.0], [0.0], [16.0], [0.0], [0.0]]], np.float32)
        >>> smoothed(row)[0, :, 0].tolist()
        [1.0, 4.0, 6.0, 4.0, 1.0]
    """
    for axis in (0, 1):
        colors = np.moveaxis(colors, axis, 0)
        near = np.pad(colors, [(2, 2), (0, 0), (0, 0)], mode="edge")
        mixed = (near[:-4] + near[4:] + 4 * (near[1:-3] + near[3:-1]) + 6 * near[2:-2]) / 16
        colors = np.moveaxis(mixed.astype(np.float32), 0, axis)
    return colors


def _quartets(values: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width, channels = values.shape
    return values.reshape(height // 2, 2, width // 2, 2, channels)


def coverage(mask: NDArray[np.bool_], box: Box, size: tuple[int, int]) -> Weight:
    """Return how much of each pixel of a small image a mask covers.

    Args:
        mask: bool ``(H, W)``.
        box: the part of it that the small image shows.
        size: height and width of the small image.
    """
    return resampled(cut(mask, box, 0).astype(np.float32), size, Image.Resampling.BOX)


def mean_colors(
    photo: NDArray[np.uint8], mask: NDArray[np.bool_], box: Box, size: tuple[int, int]
) -> tuple[Colors, Weight]:
    """Return the mean color of the masked part of each pixel of a small image, and how much it covers.

    Args:
        photo: uint8 RGB ``(H, W, 3)``.
        mask: bool ``(H, W)``.
        box: the part of the photo that the small image shows.
        size: height and width of the small image.
    """
    inside = cut(mask, box, 0)
    weight = resampled(inside.astype(np.float32), size, Image.Resampling.BOX)
    crop = cut(photo, box, 0)
    planes = [
        resampled((crop[..., plane] * inside).astype(np.float32), size, Image.Resampling.BOX)
        for plane in range(3)
    ]
    colors = np.stack(planes, axis=-1) / np.maximum(weight, 1e-6)[..., None]
    return colors.astype(np.float32), weight


def enlarged(small: Colors, box: Box, part: Box) -> Colors:
    """Enlarge a part of a small image by bicubic interpolation.

    Args:
        small: the small image.
        box: the part of the photo that it shows.
        part: the part of the photo to return, within ``box``.
    """
    down, right = small.shape[0] / box.height, small.shape[1] / box.width
    region = (
        (part.left - box.left) * right,
        (part.top - box.top) * down,
        (part.right - box.left) * right,
        (part.bottom - box.top) * down,
    )
    return resampled(small, (part.height, part.width), Image.Resampling.BICUBIC, region)
