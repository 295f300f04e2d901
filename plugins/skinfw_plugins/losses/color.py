"""The overall colors of a region, by default of the skin."""

from __future__ import annotations

import torch
from torch import Tensor

from skinfw.interfaces import Loss, LossContext
from skinfw_plugins.losses.config import ColorConfig
from skinfw_plugins.losses.moments import mean_over_images, region_covariances, region_means, to_lab
from skinfw_plugins.losses.precision import in_float32


class ColorLoss(Loss[ColorConfig]):
    """Mean and covariance of the colors, output against target, image by image, in CIE Lab.

    It ignores where a color is, so it corrects a color cast without blurring.
    Lab is divided by 100.
    """

    @in_float32
    def generator_loss(self, context: LossContext) -> Tensor:
        """Return the mean absolute difference of the means, plus the weighted one of the covariances.

        The result is the mean over the images; an image with an empty region counts as 0.
        """
        region = self.region(context)
        if region is None:
            region = torch.ones_like(context.output[:, :1])
        output, target = to_lab(context.output), to_lab(context.target)
        distance = _distance(region_means(output, region), region_means(target, region))
        if self.config.covariance:
            spreads = (region_covariances(each, region) for each in (output, target))
            distance = distance + self.config.covariance * _distance(*spreads)
        return mean_over_images(distance)


def _distance(one: Tensor, other: Tensor) -> Tensor:
    return (one - other).abs().flatten(1).mean(dim=1)
