"""Smoothness of what is painted."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from skinfw.interfaces import Loss, Step
from skinfw_plugins.losses.config import TotalVariationConfig

_DIMS = (-1, -2)
"""Along the rows, and along the columns."""


class TotalVariationLoss(Loss[TotalVariationConfig]):
    """Mean absolute difference of neighboring pixels (Rudin et al. 1992, in its anisotropic form).

    It looks at the output alone and draws it to one color, so a small weight is enough: it takes away
    noise, and too much of it texture. On the skin, pairs count whose pixels are both skin.
    """

    compares: ClassVar[bool] = False

    def generator_loss(self, step: Step) -> Tensor:
        """Return the mean over pairs side by side plus that over pairs one below the other, in [0, 2]."""
        return self._mean(step, _DIMS[0]) + self._mean(step, _DIMS[1])

    def region_count(self, skin: Tensor) -> Tensor | None:
        """Return the pairs side by side and those one below the other, both of skin, ``(2,)``."""
        if self.config.region == "picture":
            return None
        return torch.stack([_pairs(skin, dim).sum() for dim in _DIMS])

    def _mean(self, step: Step, dim: int) -> Tensor:
        steps = step.output.float().diff(dim=dim).abs()
        if self.config.region == "picture":
            return steps.mean()
        count = self.denominator(step)[_DIMS.index(dim)]
        return (steps * _pairs(step.skin, dim)).sum() / (steps.shape[1] * count)


def _pairs(skin: Tensor, dim: int) -> Tensor:
    """Return where a pixel and the next one along a dimension are both skin."""
    length = skin.shape[dim]
    return skin.narrow(dim, 0, length - 1) * skin.narrow(dim, 1, length - 1)
