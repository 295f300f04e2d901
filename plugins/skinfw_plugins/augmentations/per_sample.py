"""Base of the augmentations: each sample of a batch is changed with a probability, independently."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from skinfw.data.batch import Batch
from skinfw.interfaces.augmentation import Augmentation, AugmentationConfigT


class PerSample(Augmentation[AugmentationConfigT]):
    """Changes each sample with the configured probability."""

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch with some of its samples changed."""
        chosen = torch.rand(len(batch)) < self.config.probability
        if chosen.all():
            return self.change(batch)
        if not chosen.any():
            return batch
        indices = chosen.nonzero()[:, 0]
        return batch.put(indices, self.change(batch.take(indices)))

    @abstractmethod
    def change(self, batch: Batch) -> Batch:
        """Return a copy in which every sample is changed."""


def drawn(count: int, low: float, high: float) -> Tensor:
    """Return uniformly distributed numbers, float32 ``(count,)``.

    They are drawn on the CPU, so that every device gets the same numbers.
    """
    return torch.rand(count) * (high - low) + low
