"""The alpha of a generator's images against the true skin."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from skinfw.components.field_names import SKIN
from skinfw.interfaces import Loss, LossContext
from skinfw_plugins.losses.config import AlphaCrossEntropyConfig, AlphaDiceConfig

_LEAST = 1e-6
"""Alpha is kept so far from 0 and 1 that its logarithm is finite in float32."""


def alpha_of(context: LossContext) -> Tensor:
    """Return the alpha of the generator's images, float32 ``(B, 1, H, W)`` in [0, 1].

    Raises:
        ValueError: they have none.
    """
    if context.alpha is None:
        raise ValueError("the generator's images have no alpha")
    return context.alpha.float()


class AlphaCrossEntropyLoss(Loss[AlphaCrossEntropyConfig]):
    """Mean of ``-s * log(a) - (1 - s) * log(1 - a)`` over the region, for the alpha a and the skin s."""

    def generator_loss(self, context: LossContext) -> Tensor:
        """Return the mean, at least 0; 0 where the region is empty."""
        # from probabilities, torch has no cross-entropy that works in mixed precision
        logits = torch.logit(alpha_of(context), eps=_LEAST)
        values = binary_cross_entropy_with_logits(logits, context.fields[SKIN], reduction="none")
        return self.region_mean(values, context)


class AlphaDiceLoss(Loss[AlphaDiceConfig]):
    """1 minus the Dice coefficient of alpha and skin over the region, mean over the images.

    Both sums get one pixel more, so that an image without skin has a loss of 0 if no alpha is found either.
    """

    def generator_loss(self, context: LossContext) -> Tensor:
        """Return the mean, in [0, 1]."""
        alpha, skin = alpha_of(context), context.fields[SKIN]
        region = self.region(context)
        if region is not None:
            alpha, skin = alpha * region, skin * region
        overlap, found, true = (each.sum(dim=(1, 2, 3)) for each in (alpha * skin, alpha, skin))
        return (1 - (2 * overlap + 1) / (found + true + 1)).mean()

    def region_count(self, region: Tensor | None) -> Tensor | None:
        """Return None: the term is a mean over samples."""
        return None
