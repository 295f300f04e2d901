"""The interface of metrics."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeVar

from torch import Tensor

from skinfw.components.config import MetricConfig
from skinfw.components.measured_region import Region
from skinfw.interfaces.component import Component

MetricConfigT = TypeVar("MetricConfigT", bound=MetricConfig)


@dataclass(frozen=True)
class MetricIO:
    """What a metric is built for.

    Attributes:
        region: the region that this instance looks at.
    """

    region: Region


class Metric(Component[MetricConfigT, MetricIO]):
    """Measures painted images against true ones, over one region.

    Attributes:
        unit: unit of the value, for instance ``dB``; empty for a plain number.
        direction: whether more or less is better.
    """

    kind: ClassVar[str] = "metric"
    unit: ClassVar[str] = ""
    direction: ClassVar[Literal["higher", "lower"]]

    @abstractmethod
    def update(self, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor | None:
        """Take in a batch.

        Args:
            output: float32 RGB ``(B, 3, H, W)`` in [0, 1].
            target: float32 RGB ``(B, 3, H, W)`` in [0, 1].
            region: the mask of ``io.region``, float32 ``(B, 1, H, W)`` in {0, 1}; None for the whole image.

        Returns:
            the value of each image, ``(B,)``, NaN for an image that has nothing of the region; None for a
            metric that is only defined over a set of images.
        """

    @abstractmethod
    def compute(self) -> float:
        """Return the value over everything taken in; NaN when that is nothing."""

    def metadata(self) -> Mapping[str, str]:
        """Return what a reader must know to compare the value, by label: backbone, resize, warnings.

        Asked after `compute`; region, number of images and versions are added by the evaluator.
        """
        return {}
