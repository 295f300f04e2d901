"""Overlap of the skin that a generator finds with the true skin."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from skinfw_plugins.metrics.config import AlphaIouConfig
from skinfw_plugins.metrics.per_image import PerImageMetric


class AlphaIouMetric(PerImageMetric[AlphaIouConfig]):
    """Intersection over union of ``alpha > 0.5`` and the true skin, mean over the images; 1 is best.

    An image with neither has the value 1.
    """

    direction: ClassVar[Literal["higher", "lower"]] = "higher"

    def values(self, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor:
        """Return the ratio of each image, ``(B,)`` in [0, 1]."""
        inside = torch.ones_like(target, dtype=torch.bool) if region is None else region > 0.5
        found, true = (output > 0.5) & inside, (target > 0.5) & inside
        both, either = ((each).sum(dim=(1, 2, 3)) for each in (found & true, found | true))
        ratio = torch.where(either > 0, both / either, 1.0)
        return torch.where(inside.flatten(1).any(dim=1), ratio, torch.nan)
