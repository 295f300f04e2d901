"""Moving everything in a sample by one matrix: images, masks and keypoints."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from skinfw.components.config import Size
from skinfw.data.batch import Batch
from skinfw.data.transform import warped
from skinfw.interfaces.augmentation import AugmentationConfigT
from skinfw_plugins.augmentations.per_sample import PerSample


class Geometric(PerSample[AugmentationConfigT]):
    """Moves pixels by an affine map, drawn separately for every sample."""

    @abstractmethod
    def matrices(self, count: int, size: Size) -> Tensor:
        """Draw the maps.

        Args:
            count: number of samples.
            size: height and width of the images in pixels.

        Returns:
            maps of pixel positions, float32 ``(count, 3, 3)``: x and y in pixels, with pixel centers at
            integers, as in keypoints.
        """

    def change(self, batch: Batch) -> Batch:
        """Return a copy in which every sample is moved."""
        return warped(batch, self.matrices(len(batch), batch.size))
