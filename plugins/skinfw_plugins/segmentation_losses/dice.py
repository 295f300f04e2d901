"""The Dice loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from skinfw.data.classes import UNKNOWN
from skinfw.interfaces import SegmentationLoss
from skinfw_plugins.segmentation_losses.config import DiceConfig


class DiceLoss(SegmentationLoss[DiceConfig]):
    """The Dice loss of Milletari et al. (2016), over all known pixels of a step together."""

    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the sums of overlap, prediction and truth of each class, ``(3, K)``."""
        known = (labels != UNKNOWN).unsqueeze(1)
        predicted = logits.softmax(dim=1) * known
        truth = one_hot(labels.where(labels != UNKNOWN, 0), logits.shape[1]).permute(0, 3, 1, 2) * known
        return torch.stack([each.sum((0, 2, 3)).float() for each in (predicted * truth, predicted, truth)])

    def value(self, sums: Tensor) -> Tensor:
        """Return the mean of the classes' losses; a class that is absent counts as 0."""
        overlap, predicted, truth = sums
        scores = 2 * overlap / (predicted + truth).clamp(min=1e-7)
        loss: Tensor = ((1 - scores) * (truth > 0)).mean()
        return loss
