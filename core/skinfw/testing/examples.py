"""Random batches that look like the real thing: what the checks feed to components."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from skinfw.config import Size
from skinfw.data.sample import FACE, SKIN


def example_picture(batch: int, size: Size, seed: int = 0) -> Tensor:
    """Return random pictures, float32 ``(B, 3, H, W)`` in [0, 1]."""
    return torch.rand(batch, 3, *size, generator=torch.Generator().manual_seed(seed))


def example_region(batch: int, size: Size, seed: int = 0) -> Tensor:
    """Return random masks, float32 ``(B, 1, H, W)`` in {0, 1}, about a third of them 1."""
    values = torch.rand(batch, 1, *size, generator=torch.Generator().manual_seed(seed))
    return (values > 2 / 3).float()


def example_condition(inputs: Sequence[str], batch: int, size: Size, seed: int = 0) -> Tensor:
    """Return random input pictures side by side, float32 ``(B, 3 * len(inputs), H, W)`` in [0, 1].

    Args:
        inputs: their names; those that are masks come black and white.
        batch: number of samples.
        size: height and width in pixels.
        seed: another one gives other pictures.
    """
    pictures = [
        example_region(batch, size, seed + index).expand(-1, 3, -1, -1)
        if name in (SKIN, FACE)
        else example_picture(batch, size, seed + index)
        for index, name in enumerate(inputs)
    ]
    return torch.cat(pictures, dim=1)
