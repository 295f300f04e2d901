"""Leaves part of the skin of training samples visible: an augmentation."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from skinfw.components.field_names import APPAREL, BODY, KEEP, MASK
from skinfw.data.batch import Batch

QUANTILES = (0.1, 0.9)
"""Least and greatest fraction of the mask that stays hidden."""


def keep_skin(batch: Batch, probability: float) -> Batch:
    """Leave skin of training samples visible on one side of a random line, by torch's random numbers.

    The line has any direction, and hides a tenth to nine tenths of the inpainting mask: whole limbs on one
    side, the lower part of limbs, or all but one hand.

    Args:
        batch: the samples, on any device; with the target ``body``.
        probability: fraction of the samples that keep some skin.

    Returns:
        a copy with other fields ``mask``, ``keep`` and ``apparel_head_foot``.
    """
    count = len(batch)
    chosen = torch.rand(count) < probability
    angles = torch.rand(count) * 2 * math.pi
    low, high = QUANTILES
    hidden = torch.rand(count) * (high - low) + low
    mask = batch[MASK] > 0.5
    shown = mask & _beyond(mask, angles, hidden) & chosen.to(batch.device)[:, None, None, None]
    return batch.updated(
        {
            MASK: batch[MASK] * ~shown,
            KEEP: torch.where(shown, 1.0, batch[KEEP]),
            APPAREL: torch.where(shown, batch[BODY], batch[APPAREL]),
        }
    )


def _beyond(mask: Tensor, angles: Tensor, fractions: Tensor) -> Tensor:
    """Return what lies beyond a line that has a fraction of the mask on its near side, ``(B, 1, H, W)``."""
    height, width = mask.shape[-2:]
    rows = torch.arange(height)[:, None].expand(height, width)
    columns = torch.arange(width).expand(height, width)
    across = angles.cos()[:, None, None] * columns + angles.sin()[:, None, None] * rows
    across = across.to(mask.device)[:, None]
    far = []
    for places, inside, fraction in zip(across, mask, fractions.tolist(), strict=True):
        values = places[inside]
        limit = values.quantile(fraction) if len(values) else math.inf
        far.append(places > limit)
    return torch.stack(far)
