"""The hinge on logits."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import relu

from skinfw.interfaces import AdversarialLoss, LossContext
from skinfw_plugins.losses.adversarial import patch_mean, with_r1
from skinfw_plugins.losses.config_adversarial import HingeConfig


class HingeLoss(AdversarialLoss[HingeConfig]):
    """A margin of 1 on logits (Lim and Ye 2017; Miyato et al. 2018, section 4, eq. 16 and 17).

    A discriminator that is right by more than the margin learns nothing from that patch. Label smoothing
    reduces the margin for real images.
    """

    def generator_loss(self, context: LossContext) -> Tensor:
        """Return ``-D(output)``, the mean over all patches; it may be negative."""
        return -patch_mean(context.discriminate(context.output))

    def discriminator_loss(self, context: LossContext) -> Tensor:
        """Return ``max(0, 1 - D(target)) + max(0, 1 + D(output))``, each the mean over all patches."""
        real = patch_mean(
            context.discriminate(context.target), lambda logits: relu(self.config.real_label - logits)
        )
        painted = patch_mean(context.discriminate(context.output), lambda logits: relu(1 + logits))
        return with_r1(real + painted, context, self.config.r1)
