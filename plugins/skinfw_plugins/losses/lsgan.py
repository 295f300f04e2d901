"""Least squares on logits."""

from __future__ import annotations

from torch import Tensor

from skinfw.interfaces import AdversarialLoss, DiscriminatorOutput, LossContext
from skinfw_plugins.losses.adversarial import patch_mean, with_r1
from skinfw_plugins.losses.config_adversarial import LsganConfig


class LsganLoss(AdversarialLoss[LsganConfig]):
    """Half the squared distance of logits from 1 for real, 0 for generated images (Mao et al. 2017, eq. 9).

    Confidently correct logits are penalized too, so a generator still learns from a confident discriminator.
    """

    def generator_loss(self, context: LossContext) -> Tensor:
        """Return ``(D(output) - 1)**2 / 2``, the mean over all patches."""
        return _half_square(context.discriminate(context.output), label=1)

    def discriminator_loss(self, context: LossContext) -> Tensor:
        """Return ``(D(target) - 1)**2 / 2 + D(output)**2 / 2``, each the mean over all patches."""
        real = _half_square(context.discriminate(context.target), self.config.real_label)
        painted = _half_square(context.discriminate(context.output), label=0)
        return with_r1(real + painted, context, self.config.r1)


def _half_square(outputs: DiscriminatorOutput, label: float) -> Tensor:
    return patch_mean(outputs, lambda logits: (logits - label).square() / 2)
