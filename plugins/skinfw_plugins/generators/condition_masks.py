"""Reading masks from a condition, for generators without training."""

from __future__ import annotations

from torch import Tensor


def mask_of(condition: Tensor, channels: slice) -> Tensor:
    """Return a mask among the inputs of a condition, bool ``(B, 1, H, W)``."""
    return condition[:, channels].amax(dim=1, keepdim=True) > 0.5
