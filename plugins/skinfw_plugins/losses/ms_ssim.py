"""Structural dissimilarity on several scales."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from skinfw.interfaces import Loss, Step
from skinfw_plugins.fields import MS_SSIM_EXPONENTS
from skinfw_plugins.losses.config import MsSsimConfig
from skinfw_plugins.losses.moments import mean_over_pictures, region_means
from skinfw_plugins.losses.precision import in_float32
from skinfw_plugins.losses.similarity import inside, similarity_maps

_LEAST = 1e-6
"""What a similarity below it counts: a fractional power has no gradient at 0 and no value below."""


class MsSsimLoss(Loss[MsSsimConfig]):
    """One less the multi-scale structural similarity (Wang et al. 2003).

    Contrast and structure are compared on each scale, luminance on the coarsest one only; each scale halves
    the picture by averaging. With fewer scales than five the exponents of those that there are add up to 1.
    Over the skin, windows count by the share of skin at their centre.
    """

    @in_float32
    def generator_term(self, step: Step) -> Tensor:
        """Return the mean dissimilarity of the pictures, a scalar in [0, 1]; one without skin counts 0."""
        exponents = MS_SSIM_EXPONENTS[: self.config.scales]
        output, target, skin = step.output, step.target, step.skin
        product = torch.ones_like(output[:, :, 0, 0])
        for scale, exponent in enumerate(exponents, start=1):
            similarity, contrast = similarity_maps(output, target)
            chosen = similarity if scale == len(exponents) else contrast
            mean = region_means(chosen, skin) if self.config.region == "skin" else inside(chosen).mean((2, 3))
            product = product * mean.clamp(min=_LEAST) ** (exponent / sum(exponents))
            output, target, skin = (_halve(each) for each in (output, target, skin))
        known = step.skin.flatten(1).any(dim=1) if self.config.region == "skin" else None
        return mean_over_pictures(1 - product.mean(dim=1), known)


def _halve(pictures: Tensor) -> Tensor:
    # the last pixel of an odd side is a mean of those that there are, so that no skin is lost
    return avg_pool2d(pictures, kernel_size=2, ceil_mode=True)
