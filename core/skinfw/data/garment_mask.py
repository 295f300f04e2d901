"""Covers the skin of samples as garments do: with a mask that is wider than the skin, and irregular."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skinfw.components.config import Size
from skinfw.components.field_names import APPAREL, FACE, KEEP, MASK, SKIN
from skinfw.data.batch import Batch
from skinfw.data.pixel_types import MaskType, mask_tensor
from skinfw.data.segmentation import Mask
from skinfw.data.transform import mask_outside

MAX_STRETCH = 3.0
"""A sleeve is at most so many times as wide around a limb as it is longer than it."""

BUMP = 0.12
"""Distance between the bumps of a mask's border, as a fraction of the image's height."""

_FAR = 1e6


def cover(batch: Batch, margin: tuple[float, float]) -> Batch:
    """Cover the skin of training samples, by torch's random numbers.

    The inpainting mask is dilated around the skin, and what it covers is erased from the agnostic image and
    the keep mask. It never covers the visible face, if the batch has that field.

    Args:
        batch: the samples, on any device.
        margin: minimum and maximum margin as fractions of the image's height.

    Returns:
        a copy with other fields ``mask``, ``keep``, ``apparel_head_foot`` and those inside ``keep``.
    """
    return _covered(batch, margin, torch.randint(2**62, (len(batch),)).tolist())


def cover_by_name(batch: Batch, margin: tuple[float, float]) -> Batch:
    """Cover the skin of samples as `cover` does, always in the same way: the sample's name decides."""
    digests = [hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest() for name in batch.names]
    return _covered(batch, margin, [int.from_bytes(digest[:7], "big") for digest in digests])


def _covered(batch: Batch, margin: tuple[float, float], seeds: Sequence[int]) -> Batch:
    low, high = (fraction * batch.size[0] for fraction in margin)
    skins = batch[SKIN][:, 0].cpu().numpy() > 0.5
    grown = [
        garment_mask(skin, low, high, np.random.default_rng(seed))
        for skin, seed in zip(skins, seeds, strict=True)
    ]
    mask = mask_tensor(grown).to(batch.device)
    if FACE in batch:
        mask = mask * (1 - batch[FACE])
    mask = torch.maximum(mask, batch[MASK])
    keep = batch[KEEP] * (1 - mask)
    inside: dict[str, Tensor] = {
        name: batch[name] * keep
        for name, types in batch.types.items()
        if isinstance(types[0], MaskType) and types[0].inside == KEEP
    }
    return batch.updated({**inside, MASK: mask, KEEP: keep, APPAREL: mask_outside(batch[APPAREL], keep)})


def garment_mask(skin: Mask, low: float, high: float, random: np.random.Generator) -> Mask:
    """Return the mask of garments that cover skin.

    Each connected part of the skin, such as an arm, gets its own margin. It is wider around the part
    than at its ends, and varies smoothly along the border.

    Args:
        skin: bool ``(H, W)``.
        low: minimum margin in pixels.
        high: maximum margin in pixels.
        random: the source of randomness.

    Returns:
        bool ``(H, W)``; it contains the skin, and nothing farther from it than ``high``.

    Example:
        >>> skin = np.zeros((9, 9), bool)
        >>> skin[4, 4] = True
        >>> garment_mask(skin, 2, 2, np.random.default_rng(0)).sum().item()
        13
    """
    covered: Mask = skin.copy()
    count, parts = cv2.connectedComponents(skin.astype(np.uint8), connectivity=8)
    bumps = _smooth_noise(skin.shape, random)
    for index in range(1, count):
        widest = low + (high - low) * random.random()
        stretch = random.random()
        covered |= _distance(parts == index, stretch, high) <= low + (widest - low) * bumps
    return covered


def _smooth_noise(size: tuple[int, ...], random: np.random.Generator) -> NDArray[np.float32]:
    """Return values in [0, 1] that vary smoothly, ``(H, W)``."""
    height, width = size
    step = max(1.0, BUMP * height)
    coarse = random.random((max(2, round(height / step)), max(2, round(width / step))), np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    # interpolation pulls towards the mean
    values: NDArray[np.float32] = np.clip(0.5 + 1.5 * (smooth - 0.5), 0, 1)
    return values


def _distance(part: Mask, stretch: float, most: float) -> NDArray[np.float32]:
    """Return the distance of each pixel from a part in pixels, larger along its axis than across.

    Args:
        part: bool ``(H, W)``, not empty.
        stretch: in [0, 1]: 0 measures the same in all directions, 1 the most along the axis.
        most: distances above are not needed.
    """
    away = np.full(part.shape, _FAR, np.float32)
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    reach = int(np.ceil(most)) + 1
    top, left = max(0, int(rows[0]) - reach), max(0, int(columns[0]) - reach)
    window = np.s_[top : int(rows[-1]) + reach + 1, left : int(columns[-1]) + reach + 1]
    inside = part[window].astype(np.uint8)
    matrix, size = _along_axis(inside, stretch)
    moved = cv2.warpAffine(inside, matrix, (size[1], size[0]), flags=cv2.INTER_NEAREST)
    distance = cv2.distanceTransform(1 - moved, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    back = cv2.warpAffine(
        distance, matrix, (inside.shape[1], inside.shape[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    back[inside > 0] = 0
    away[window] = back
    return away


def _along_axis(part: NDArray[np.uint8], stretch: float) -> tuple[NDArray[np.float64], Size]:
    """Return the map that stretches a part along its axis, and the size of the image that holds the result.

    Returns:
        the map of x and y, ``(2, 3)``, and height and width.
    """
    y, x = np.nonzero(part)
    _, factor, axes = 0, 1.0, np.eye(2)
    if len(x) > 2:
        spread, vectors = np.linalg.eigh(np.cov(np.stack([x, y])))
        across, along = np.sqrt(np.maximum(spread, 1 / 12))  # of a pixel
        factor = 1 + stretch * (min(along / across, MAX_STRETCH) - 1)
        axes = vectors.T[::-1]
    linear = np.diag([factor, 1.0]) @ axes
    height, width = part.shape
    corners = np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]]) @ linear.T
    begin, end = corners.min(axis=0) - 1, corners.max(axis=0) + 1
    size = np.ceil(end - begin).astype(int) + 1
    return np.column_stack([linear, -begin]), (int(size[1]), int(size[0]))
