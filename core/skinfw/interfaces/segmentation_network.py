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
    """What a segmentation network needs to know when it is built.

    Attributes:
        size: height and width of the images in pixels.
        classes: number of classes that it predicts.
    """

    size: Size
    classes: int


class SegmentationNetwork(Component[SegmentationNetworkConfigT, SegmentationNetworkIO], nn.Module):
    """Predicts a score per class for every pixel.

    Images are float32 RGB ``(B, 3, H, W)`` in [0, 1]; inside, a network may use any range.

    Attributes:
        pads_to: height and width are padded inside to multiples of this many pixels. Exported files cannot
            pad, so they take only such multiples.
    """

    kind: ClassVar[str] = "segmentation_network"
    pads_to: int = 1

    @abstractmethod
    def forward(self, image: Tensor) -> Tensor:
        """Label a batch.

        Args:
            image: float32 RGB ``(B, 3, H, W)`` in [0, 1].

        Returns:
            float32 logits ``(B, classes, H, W)``; the class of a pixel is the one with the largest logit.
        """

    def prepare_training(self) -> None:
        """Prepare for training, for instance load weights from elsewhere; does nothing by default.

        It is called once, before the first step of a run, but not when a checkpoint is loaded.

        Raises:
            SkinfwError: something that it needs is missing or does not fit.
        """
