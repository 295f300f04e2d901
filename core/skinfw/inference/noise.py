"""The noise of generators that take some, so that the same input gives the same image."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from skinfw.components.config import Size
from skinfw.interfaces import Generator


def fixed_noise(generator: Generator[Any], size: Size, seed: int) -> Tensor | None:
    """Return noise that is the same for every photo.

    Args:
        generator: the generator that the noise is for.
        size: height and width of the training images in pixels.
        seed: seed of the run.

    Returns:
        standard normal, float32 ``(1, *generator.noise_shape(size))``; None for a generator without noise.
    """
    shape = generator.noise_shape(size)
    if not shape:
        return None
    return torch.randn((1, *shape), generator=torch.Generator().manual_seed(seed))


def sample_noise(generator: Generator[Any], names: Sequence[str], size: Size, seed: int) -> Tensor | None:
    """Return the noise of each sample, or None for a generator without noise.

    It depends only on the seed and the sample's name, not on the order or size of batches.

    Args:
        generator: the generator that the noise is for.
        names: the samples of the batch.
        size: height and width of the images in pixels.
        seed: seed of the run.

    Returns:
        standard normal, float32 ``(B, *generator.noise_shape(size))`` on the CPU.
    """
    shape = generator.noise_shape(size)
    if not shape:
        return None
    drawn = []
    for name in names:
        digest = hashlib.sha256(f"{seed}/{name}".encode("utf-8", "surrogateescape")).digest()
        source = torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
        drawn.append(torch.randn(shape, generator=source))
    return torch.stack(drawn)
