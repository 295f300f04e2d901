"""The interface of segmentation networks."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from torch import Tensor, nn

from skinfw.components.config import SegmentationNetworkConfig, Size
from skinfw.interfaces.component import Component

SegmentationNetworkConfigT = TypeVar("SegmentationNetworkConfigT", bound=SegmentationNetworkConfig)


@dataclass(frozen=True)
class SegmentationNetworkIO:
    """What a segmentation network is built for.

    Attributes:
        size: height and width of the images in pixels.
        classes: number of classes that it tells apart.
    """

    size: Size
    classes: int


class SegmentationNetwork(Component[SegmentationNetworkConfigT, SegmentationNetworkIO], nn.Module):
    """Says of every pixel how likely each class is.

    Images are float32 RGB ``(B, 3, H, W)`` in [0, 1]; what range a network works in is its own matter.
    """

    kind: ClassVar[str] = "segmentation_network"

    @abstractmethod
    def forward(self, image: Tensor) -> Tensor:
        """Label a batch.

        Args:
            image: float32 RGB ``(B, 3, H, W)`` in [0, 1].

        Returns:
            float32 logits ``(B, classes, H, W)``; the class of a pixel is the one with the largest.
        """

    def prepare_training(self) -> None:
        """Get ready to be trained, for instance take weights from elsewhere; by default nothing is done.

        It is called once, before the first step of a run. A checkpoint brings all weights of its own.

        Raises:
            SkinfwError: what it needs is missing or does not fit.
        """
