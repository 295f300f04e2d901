"""Shared by the adversarial losses: means over patches and scales, and gradients at images."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from skinfw.interfaces import DiscriminatorOutput, LossContext


def patch_mean(
    outputs: DiscriminatorOutput, cost: Callable[[Tensor], Tensor] = lambda logits: logits
) -> Tensor:
    """Return the mean cost of logits over the patches of each scale, then over the scales, a scalar.

    Half precision would lose the logarithm of a small probability, so the cost is computed in float32.

    Args:
        outputs: the discriminator's.
        cost: returns the cost of each logit of ``(B, 1, h, w)``.

    Example:
        >>> patch_mean(DiscriminatorOutput(logits=(torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 1, 1)))).item()
        0.5
    """
    return torch.stack([cost(logits.float()).mean() for logits in outputs.logits]).mean()


def gradient_norms(context: LossContext, images: Tensor) -> Tensor:
    """Return the Euclidean norm of the discriminator's gradient over all pixels of each image.

    The gradient is that of each image's logit: the mean over its patches, then over the scales, as in
    `patch_mean`. It is computed in float32, whatever the training precision, and is itself differentiable.

    Args:
        context: provides the discriminator.
        images: float ``(B, 3, H, W)`` in [0, 1]; they are copied.

    Returns:
        ``(B,)``.
    """
    with torch.enable_grad(), torch.autocast(images.device.type, enabled=False):
        places = images.detach().float().requires_grad_()
        scales = [
            logits.float().mean(dim=(1, 2, 3)) for logits in context.discriminate(places, float32=True).logits
        ]
        (gradient,) = torch.autograd.grad(torch.stack(scales).mean(dim=0).sum(), places, create_graph=True)
        norms: Tensor = torch.linalg.vector_norm(gradient, dim=(1, 2, 3))
    return norms


def with_r1(term: Tensor, context: LossContext, gamma: float) -> Tensor:
    """Return a discriminator's loss plus the R1 penalty (Mescheder et al. 2018, section 4.1, eq. 9).

    Args:
        term: the scalar that the discriminator minimizes.
        context: what the losses see; its targets are the real images.
        gamma: weight of the penalty, which is half of the mean squared `gradient_norms`; 0 for none.
    """
    if gamma == 0:
        return term
    return term + gamma / 2 * gradient_norms(context, context.target).square().mean()
