"""The adversarial loss of pix2pix."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from skinfw.interfaces import AdversarialLoss, DiscriminatorOutput, LossContext
from skinfw_plugins.losses.adversarial import patch_mean, with_r1
from skinfw_plugins.losses.config_adversarial import GanConfig


class GanLoss(AdversarialLoss[GanConfig]):
    """Binary cross-entropy on the discriminator's logits (the report's section 5.2.3.3).

    The generator maximizes log D(output) rather than minimize log(1 - D(output)), and the discriminator's
    term is halved so that it learns more slowly than the generator (Isola et al. 2017, section 3.3).
    """

    def generator_loss(self, context: LossContext) -> Tensor:
        """Return ``-log D(output)``, the mean over all patches."""
        return _cross_entropy(context.discriminate(context.output), label=1)

    def discriminator_loss(self, context: LossContext) -> Tensor:
        """Return half of ``-log D(target) - log(1 - D(output))``, each the mean over all patches.

        With a smoothed label s instead of 1 the first is ``-s log D(target) - (1 - s) log(1 - D(target))``.
        """
        real = _cross_entropy(context.discriminate(context.target), self.config.real_label)
        painted = _cross_entropy(context.discriminate(context.output), label=0)
        return with_r1((real + painted) / 2, context, self.config.r1)


def _cross_entropy(outputs: DiscriminatorOutput, label: float) -> Tensor:
    return patch_mean(
        outputs, lambda logits: binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))
    )
