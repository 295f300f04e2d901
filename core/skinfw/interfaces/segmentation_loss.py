"""The interface of segmentation losses."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from torch import Tensor, nn

from skinfw.components.config import SegmentationLossConfig
from skinfw.interfaces.component import Component

SegmentationLossConfigT = TypeVar("SegmentationLossConfigT", bound=SegmentationLossConfig)


@dataclass(frozen=True)
class SegmentationLossIO:
    """What a segmentation loss needs to know when it is built.

    Attributes:
        classes: the names of the classes, in the order of the network's channels.
    """

    classes: tuple[str, ...]


class SegmentationLoss(Component[SegmentationLossConfigT, SegmentationLossIO], nn.Module):
    """A term of a parser's loss, computed from sums over pixels; the trainer applies its weight.

    The sums of several batches add up. A step over several batches, or over several processes, is therefore
    exactly the step over one large batch.
    """

    kind: ClassVar[str] = "segmentation_loss"

    @abstractmethod
    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the sums over the pixels of a batch that the term depends on.

        Args:
            logits: float32 ``(B, K, H, W)``, with K classes.
            labels: int64 ``(B, H, W)``, indices of classes; pixels that equal
                `skinfw.data.classes.UNKNOWN` do not count.

        Returns:
            float32, of any shape that is the same for every batch.
        """

    @abstractmethod
    def value(self, sums: Tensor) -> Tensor:
        """Return the unweighted scalar to minimize.

        Args:
            sums: the result of `sums`, added over the batches of a step.
        """
