"""The color of a person's visible skin, for baselines, conditions and losses."""

from __future__ import annotations

import torch
from torch import Tensor

from skinfw_plugins.shared.erased import erased_pixels


def visible_tones(images: Tensor, face: Tensor) -> Tensor:
    """Return the color of each person's visible face; if none is visible, see `skin_tones`.

    Args:
        images: ``apparel_head_foot``, float ``(B, 3, H, W)`` in [0, 1].
        face: the input image ``face``, of the same shape and range.

    Returns:
        float ``(B, 3)`` in [0, 1].
    """
    return skin_tones(images, face.amax(dim=1, keepdim=True) > 0.5, ~erased_pixels(images))


def skin_tones(images: Tensor, skin: Tensor, visible: Tensor) -> Tensor:
    """Return the robust color of each person's visible skin: the median per channel, in 8 bits.

    Unlike a mean, a median is robust to hair, eyes and shadows. If no skin is visible, it is the median of
    everything visible, and white if nothing is.

    Args:
        images: ``apparel_head_foot``, float ``(B, 3, H, W)`` in [0, 1]; rounded to 8 bits, as files are.
        skin: where skin is visible, bool ``(B, 1, H, W)``.
        visible: where anything is visible, bool ``(B, 1, H, W)``.

    Returns:
        float ``(B, 3)`` in [0, 1].

    Example:
        >>> images = torch.tensor([0.2, 0.4, 0.8]).reshape(1, 3, 1, 1).expand(1, 3, 1, 2)
        >>> skin = torch.tensor([[[[True, False]]]])
        >>> (skin_tones(images, skin, skin) * 255).round().tolist()
        [[51.0, 102.0, 204.0]]
    """
    levels, region = (images * 255).round().flatten(2), skin.flatten(2)
    region = region | (visible.flatten(2) & ~region.any(dim=2, keepdim=True))
    count = _count(region)
    # bit by bit, the largest level that fewer than half of the pixels are below: eight sums instead of a
    # sort, for all images at once, and without waiting for a GPU
    median = levels.new_zeros((*levels.shape[:2], 1))
    for bit in (128, 64, 32, 16, 8, 4, 2, 1):
        below = _count((levels < median + bit) & region)
        median = torch.where(2 * below < count, median + bit, median)
    return torch.where(count > 0, median / 255, 1.0)[:, :, 0]


def _count(region: Tensor) -> Tensor:
    return region.sum(dim=2, keepdim=True, dtype=torch.int32)
