"""Inpainted skin in the color of the person's visible skin."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from skinfw.components.field_names import APPAREL, FACE
from skinfw.components.measured_region import region_field
from skinfw.interfaces import Loss, LossContext, LossIO
from skinfw_plugins.losses.config import ToneConsistencyConfig
from skinfw_plugins.losses.moments import mean_over_images, region_covariances, region_means, to_lab
from skinfw_plugins.losses.precision import in_float32
from skinfw_plugins.shared.skin_tone import skin_tones


class ToneConsistencyLoss(Loss[ToneConsistencyConfig]):
    """Distance of the inpainted skin's mean color from the color of the visible face, in CIE Lab.

    The face's color is its median per channel, which is robust to hair, eyes and shadows. The loss does not
    use the target, so it needs no image of that skin. Lab is divided by 100.
    """

    compares: ClassVar[bool] = False
    weights: Tensor

    def __init__(self, config: ToneConsistencyConfig, io: LossIO) -> None:
        super().__init__(config, io)
        self.register_buffer("weights", torch.tensor([config.lightness, 1, 1]), persistent=False)

    @in_float32
    def generator_loss(self, context: LossContext) -> Tensor:
        """Return the mean absolute difference of lightness, a and b, the mean over the images.

        An image without a visible face or skin to inpaint counts as 0.
        """
        images, visible = context.fields[APPAREL].float(), context.fields[FACE] > 0.5
        region = context.fields[region_field(self.config.region)]
        tones = to_lab(skin_tones(images, visible, visible)[:, :, None, None])[:, :, 0, 0]
        output = to_lab(context.output)
        distance = ((region_means(output, region) - tones).abs() * self.weights).mean(dim=1)
        if self.config.covariance:
            face = region_covariances(to_lab(images), visible.float())
            spread = region_covariances(output, region) - face
            pairs = self.weights[:, None] * self.weights
            distance = distance + self.config.covariance * (spread.abs() * pairs).mean(dim=(1, 2))
        known = visible.flatten(1).any(dim=1) & region.flatten(1).any(dim=1)
        return mean_over_images(distance, known)
