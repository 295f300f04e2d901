"""Smoothness of what is painted."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from skinfw.interfaces import Loss, Step
from skinfw_plugins.losses.config import TotalVariationConfig


class TotalVariationLoss(Loss[TotalVariationConfig]):
    """Mean absolute difference of neighbouring pixels (Rudin et al. 1992, in its anisotropic form).

    It looks at the output alone and draws it to one colour, so a small weight is enough: it takes away
    noise, and too much of it texture. On the skin, pairs count whose pixels are both skin.
    """

    compares: ClassVar[bool] = False

    def generator_term(self, step: Step) -> Tensor:
        """Return the mean over pairs side by side plus that over pairs one below the other, in [0, 2]."""
        return self._mean(step, dim=-1) + self._mean(step, dim=-2)

    def _mean(self, step: Step, dim: int) -> Tensor:
        steps = step.output.float().diff(dim=dim).abs()
        length = step.skin.shape[dim]
        both = step.skin.narrow(dim, 0, length - 1) * step.skin.narrow(dim, 1, length - 1)
        return self.region_mean(steps, both)
