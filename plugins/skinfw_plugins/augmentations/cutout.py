"""What ``apparel_head_foot`` shows of the target."""

from __future__ import annotations

import torch
from torch import Tensor

from skinfw.data.batch import Batch
from skinfw.data.sample import APPAREL


def mask_outside(pictures: Tensor, kept: Tensor) -> Tensor:
    """Return pictures ``(B, C, H, W)`` that are white outside of a mask, float ``(B, 1, H, W)`` in {0, 1}."""
    return torch.where(kept > 0.5, pictures, 1.0)


def shows_the_target(batch: Batch) -> bool:
    """Return whether ``apparel_head_foot`` is the target, cut out where it is kept.

    Prepared samples are so, and one picture is changed for both then; two JPEG files differ a little.
    """
    return torch.equal(batch.inputs[APPAREL], mask_outside(batch.target, batch.kept))
