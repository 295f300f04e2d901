"""Difference of the discriminator's features."""

from __future__ import annotations

import torch
from torch import Tensor

from skinfw.errors import UserError
from skinfw.interfaces import Loss, LossContext
from skinfw_plugins.losses.config_adversarial import FeatureMatchingConfig


class FeatureMatchingLoss(Loss[FeatureMatchingConfig]):
    """Mean absolute difference of the discriminator's features (Wang et al. 2018, section 3.3, eq. 4).

    It is the mean over the inner layers of each scale, then over the scales. The target's features carry no
    gradient, and the loss does not train the discriminator.
    """

    def generator_loss(self, context: LossContext) -> Tensor:
        """Return the mean difference, a scalar of at least 0.

        Raises:
            UserError: the discriminator returns no features.
        """
        painted, true = (
            context.discriminate(context.output).features,
            context.discriminate(context.target).features,
        )
        if not painted:
            raise UserError(
                "feature_matching: the discriminator returns no features to compare; use patchgan or "
                "multiscale, or remove this loss"
            )
        scales = [
            torch.stack(
                [
                    (one.float() - other.detach().float()).abs().mean()
                    for one, other in zip(*layers, strict=True)
                ]
            ).mean()
            for layers in zip(painted, true, strict=True)
        ]
        return torch.stack(scales).mean()
