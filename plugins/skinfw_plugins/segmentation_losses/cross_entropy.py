"""The cross-entropy of the pixels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from skinfw.data.classes import UNKNOWN
from skinfw.interfaces import SegmentationLoss, SegmentationLossIO
from skinfw_plugins.segmentation_losses.config import CrossEntropyConfig


class CrossEntropyLoss(SegmentationLoss[CrossEntropyConfig]):
    """The cross-entropy, averaged over the known pixels with the weights of their classes."""

    weights: Tensor

    def __init__(self, config: CrossEntropyConfig, io: SegmentationLossIO) -> None:
        super().__init__(config, io)
        weights = torch.tensor([config.class_weights.get(name, 1.0) for name in io.classes])
        self.register_buffer("weights", weights, persistent=False)

    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the weighted sums of the pixels' cross-entropy and of their weights, ``(2,)``."""
        total = cross_entropy(logits, labels, self.weights, ignore_index=UNKNOWN, reduction="sum")
        known = labels != UNKNOWN
        return torch.stack([total, (self.weights[labels.where(known, 0)] * known).sum()])

    def value(self, sums: Tensor) -> Tensor:
        """Return the weighted mean; 0 if no pixel counts."""
        total, weight = sums
        mean: Tensor = total / torch.where(weight > 0, weight, 1)
        return mean
