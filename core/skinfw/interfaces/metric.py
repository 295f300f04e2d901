"""The interface of metrics."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from torch import Tensor

from skinfw.components.config import MetricConfig
from skinfw.components.direction import Direction
from skinfw.components.measured_region import Region
from skinfw.interfaces.component import Component

MetricConfigT = TypeVar("MetricConfigT", bound=MetricConfig)


@dataclass(frozen=True)
class MetricIO:
    """What a metric needs to know when it is built.

    Attributes:
        region: the region that this instance measures.
    """

    region: Region


class Metric(Component[MetricConfigT, MetricIO]):
    """Compares inpainted images with the ground truth on one region.

    Attributes:
        unit: unit of the value, for instance ``dB``; empty for a plain number.
        direction: whether values are better if they are ``higher``, ``lower`` or nearer to ``zero``.
    """

    kind: ClassVar[str] = "metric"
    unit: ClassVar[str] = ""
    direction: ClassVar[Direction]

    @abstractmethod
    def update(self, output: Tensor, target: Tensor, region: Tensor | None) -> Tensor | None:
        """Add a batch.

        Args:
            output: float32 RGB ``(B, 3, H, W)`` in [0, 1]; if the configuration says ``measures_alpha``, the
                alpha of the generator's images, float32 ``(B, 1, H, W)`` in [0, 1].
            target: float32 RGB ``(B, 3, H, W)`` in [0, 1]; or the true skin, float32 ``(B, 1, H, W)`` in
                {0, 1}.
            region: the mask of ``io.region``, float32 ``(B, 1, H, W)`` in {0, 1}; None for the whole image.

        Returns:
            the value of each image, ``(B,)``, NaN for an image with an empty region; None for a
            metric that is only defined over a set of images.
        """

    @abstractmethod
    def compute(self) -> float:
        """Return the value over all batches; NaN if there were none."""

    def added(self) -> Any:
        """Return what `update` was given so far, to be sent to another process: numbers, tensors on the CPU.

        A metric without this method and `add` works too, but several processes cannot share the evaluation.
        """
        raise NotImplementedError  # optional: `can_be_added` is asked first

    def add(self, added: Any) -> None:
        """Add what another instance of this metric was given after what this one was, as it returned it.

        Afterwards, the value is that of one instance that was given everything.
        """
        raise NotImplementedError  # optional: `can_be_added` is asked first

    @property
    def can_be_added(self) -> bool:
        """Whether `added` and `add` exist."""
        return type(self).add is not Metric.add and type(self).added is not Metric.added

    def metadata(self) -> Mapping[str, str]:
        """Return what you need to know to compare the value, by label: backbone, resize, warnings.

        Called after `compute`; the evaluator adds region, number of images and versions.
        """
        return {}
