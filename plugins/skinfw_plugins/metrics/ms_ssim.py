"""Structural similarity on several scales."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor

from skinfw.errors import UserError
from skinfw_plugins.metrics.config import MsSsimConfig
from skinfw_plugins.metrics.per_image import PerImageMetric
from skinfw_plugins.shared.fields import ms_ssim_min_side
from skinfw_plugins.shared.similarity import multiscale_similarity


class MsSsimMetric(PerImageMetric[MsSsimConfig]):
    """Multi-scale structural similarity of each image, then the mean over the images; 1 is best.

    Contrast and structure are compared on each scale, luminance on the coarsest one only (Wang et al. 2003).
    With fewer than five scales, the exponents are normalized to add up to 1. It measures the whole image: on
    the coarser scales a region would have no pixels left.
    """

    direction: ClassVar[Literal["higher", "lower"]] = "higher"

    def values(self, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor:
        """Return the similarity of each image, ``(B,)`` in [0, 1].

        Raises:
            UserError: the images are too small for the scales.
        """
        height, width = output.shape[-2:]
        least = ms_ssim_min_side(self.config.scales)
        if min(height, width) < least:
            raise UserError(
                f"ms_ssim: images of {height}x{width} are too small for {self.config.scales} scales, which "
                f"need {least} pixels per side; lower scales or remove the metric"
            )
        return multiscale_similarity(output, target, self.config.scales)
