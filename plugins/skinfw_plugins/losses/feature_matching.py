"""Likeness in the discriminator's features."""

from __future__ import annotations

import torch
from torch import Tensor

from skinfw.errors import UserError
from skinfw.interfaces import Loss, LossContext
from skinfw_plugins.losses.config import FeatureMatchingConfig


class FeatureMatchingLoss(Loss[FeatureMatchingConfig]):
    """Mean absolute difference of the discriminator's features (Wang et al. 2018, section 3.3, eq. 4).

    It is the mean over the inner layers of each scale, then over the scales. The target's features are what
    the output's are to become, so they carry no gradient; the discriminator is not trained by it.
    """

    def generator_loss(self, context: LossContext) -> Tensor:
        """Return the mean difference, a scalar of at least 0.

        Raises:
            UserError: the discriminator shows no features.
        """
        painted, true = (
            context.discriminate(context.output).features,
            context.discriminate(context.target).features,
        )
        if not painted:
            raise UserError(
                "feature_matching: the discriminator shows no features to compare; use one that does, "
                "patchgan or multiscale, or leave this loss out"
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
