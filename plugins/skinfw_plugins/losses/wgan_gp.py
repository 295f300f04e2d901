"""Wasserstein distance with a gradient penalty."""

from __future__ import annotations

import torch
from torch import Tensor

from skinfw.interfaces import AdversarialLoss, Step
from skinfw_plugins.losses.adversarial import gradient_norms, patch_mean
from skinfw_plugins.losses.config import WganGpConfig


class WganGpLoss(AdversarialLoss[WganGpConfig]):
    """The critic's difference between painted and real pictures (Gulrajani et al. 2017, eq. 3).

    Its logits are not probabilities. A penalty keeps the norm of its gradient near 1 at pictures on the line
    between each painted picture and its target. The paper trains the critic five times to one step of the
    generator: ``training.n_critic``.
    """

    def generator_loss(self, step: Step) -> Tensor:
        """Return ``-D(output)``, the mean over all patches; it may be negative."""
        return -patch_mean(step.judge(step.output))

    def discriminator_loss(self, step: Step) -> Tensor:
        """Return ``D(output) - D(target)`` and the penalty, each the mean over the batch."""
        difference = patch_mean(step.judge(step.output)) - patch_mean(step.judge(step.target))
        share = torch.rand(len(step.target), 1, 1, 1, device=step.target.device)
        between = torch.lerp(step.output.float(), step.target.float(), share)
        steepness = gradient_norms(step, between)
        return difference + self.config.penalty * (steepness - 1).square().mean()
