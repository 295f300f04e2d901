"""The difference of the mean skin color."""

from __future__ import annotations

import torch
from torch import Tensor

from skinfw.components.field_names import SKIN
from skinfw.interfaces import Loss, LossContext
from skinfw_meantone.config import MeanToneConfig


class MeanToneLoss(Loss[MeanToneConfig]):
    """``|mean(output) - mean(target)|`` over each image's skin, then the mean over all images."""

    def generator_loss(self, context: LossContext) -> Tensor:
        """Return the difference, a scalar in [0, 1]; an image without skin counts as 0."""
        skin = context.fields[SKIN]
        difference = (context.output - context.target) * skin
        pixels = torch.clamp(skin.sum(dim=(2, 3)), min=1.0)
        tone = difference.sum(dim=(2, 3)) / pixels
        return tone.abs().pow(self.config.power).mean()
