"""Structural similarity."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor

from skinfw.errors import UserError
from skinfw_plugins.metrics.config import SsimConfig
from skinfw_plugins.metrics.per_image import PerImageMetric, region_means
from skinfw_plugins.shared.similarity import WINDOW, inside, similarity_maps


class SsimMetric(PerImageMetric[SsimConfig]):
    """Structural similarity of luminance, contrast and structure in a sliding window, mean over channels.

    1 is best (the report's section 6.1.2; Wang et al. 2004). Over the image it is the mean of all windows
    that lie entirely inside; over the skin, the mean of the windows around the skin's pixels. Windows beyond
    the image's edge see the image mirrored.
    """

    direction: ClassVar[Literal["higher", "lower"]] = "higher"

    def values(self, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor:
        """Return the similarity of each image, ``(B,)`` in [-1, 1].

        Raises:
            UserError: the images are smaller than the window.
        """
        height, width = output.shape[-2:]
        if min(height, width) < WINDOW:
            raise UserError(
                f"ssim: images of {height}x{width} are smaller than its {WINDOW}x{WINDOW} pixel window; "
                "use larger images or remove the metric"
            )
        similarity, _ = similarity_maps(output, target)
        if region is not None:
            return region_means(similarity, region)
        return region_means(inside(similarity), None)
