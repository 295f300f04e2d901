"""The mirror image."""

from __future__ import annotations

from skinfw.data.batch import Batch
from skinfw.data.transform import mirrored
from skinfw_plugins.augmentations.config import FlipConfig
from skinfw_plugins.augmentations.per_sample import PerSample


class FlipAugmentation(PerSample[FlipConfig]):
    """Mirrors samples from left to right.

    Images and masks are mirrored exactly. The pose map and heat maps are not: their colors and channels
    distinguish the person's right side from the left. The keypoints are mirrored, their sides swapped, and
    the pose redrawn.
    """

    def change(self, batch: Batch) -> Batch:
        """Return the mirror image of every sample."""
        return mirrored(batch)
