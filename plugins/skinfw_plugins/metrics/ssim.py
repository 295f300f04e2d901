"""Structural similarity."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from skinfw.errors import UserError
from skinfw_plugins.metrics.config import SsimConfig
from skinfw_plugins.metrics.per_picture import PerPictureMetric, region_means

WINDOW = 11
"""Side in pixels of the Gaussian window, whose sigma is 1.5 pixels (Wang et al. 2004, section III.C)."""


class SsimMetric(PerPictureMetric[SsimConfig]):
    """Structural similarity of luminance, contrast and structure in a sliding window, mean over channels.

    1 is best (the report's section 6.1.2; Wang et al. 2004). Over the picture it is the mean of all windows
    that lie wholly inside; over the skin, the mean of the windows around the skin's pixels, where a window
    that reaches over the picture's edge sees the picture mirrored.
    """

    direction: ClassVar[Literal["higher", "lower"]] = "higher"

    def values(self, output: Tensor, target: Tensor, skin: Tensor) -> Tensor:
        """Return the similarity of each picture, ``(B,)`` in [-1, 1].

        Raises:
            UserError: the pictures are smaller than the window.
        """
        height, width = output.shape[-2:]
        if min(height, width) < WINDOW:
            raise UserError(
                f"ssim: pictures of {height}x{width} are smaller than its {WINDOW}x{WINDOW} pixel window; "
                "take larger pictures or leave the metric out"
            )
        _, similarity = structural_similarity_index_measure(
            output, target, sigma=1.5, reduction="none", data_range=1.0, return_full_image=True
        )
        if self.io.region == "skin":
            return region_means(similarity, skin)
        margin = WINDOW // 2
        return region_means(similarity[..., margin : height - margin, margin : width - margin], None)
