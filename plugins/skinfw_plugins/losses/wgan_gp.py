"""Wasserstein distance with a gradient penalty."""

from __future__ import annotations

import torch
from torch import Tensor

from skinfw.interfaces import AdversarialLoss, LossContext
from skinfw_plugins.losses.adversarial import gradient_norms, patch_mean
from skinfw_plugins.losses.config_adversarial import WganGpConfig


class WganGpLoss(AdversarialLoss[WganGpConfig]):
    """The critic's difference between generated and real images (Gulrajani et al. 2017, eq. 3).

    Its logits are not probabilities. A penalty keeps the norm of its gradient near 1 at images on the line
    between each generated image and its target. The paper trains the critic five times per generator step:
    ``training.n_critic``.
    """

    def generator_loss(self, context: LossContext) -> Tensor:
        """Return ``-D(output)``, the mean over all patches; it may be negative."""
        return -patch_mean(context.discriminate(context.output))

    def discriminator_loss(self, context: LossContext) -> Tensor:
        """Return ``D(output) - D(target)`` and the penalty, each the mean over the batch."""
        difference = patch_mean(context.discriminate(context.output)) - patch_mean(
            context.discriminate(context.target)
        )
        fraction = torch.rand(len(context.target), 1, 1, 1, device=context.target.device)
        between = torch.lerp(context.output.float(), context.target.float(), fraction)
        steepness = gradient_norms(context, between)
        return difference + self.config.penalty * (steepness - 1).square().mean()
