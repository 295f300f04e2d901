"""The metrics of one generator, independent of each other: a failing one does not stop the others."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from skinfw.assembly.assemble import build_metric
from skinfw.components.field_names import BODY, SKIN
from skinfw.components.reference import numbered
from skinfw.data.batch import Batch
from skinfw.errors import SkinfwError, UserError
from skinfw.evaluation.results import MetricInfo, plain
from skinfw.interfaces import Metric
from skinfw.specs.spec import Spec

logger = logging.getLogger("skinfw")


_told: set[tuple[str, str]] = set()
"""The warnings that this process has already logged."""


def compared(
    metric: Metric[Any], output: Tensor, alpha: Tensor | None, batch: Batch
) -> tuple[Tensor, Tensor]:
    """Return what a metric compares: the images with the real ones, or their alpha with the true skin.

    Raises:
        UserError: it compares the alpha, which the generator does not return.
    """
    if not metric.config.measures_alpha:
        return output, batch[BODY]
    if alpha is None:
        raise UserError("this generator gives no alpha")
    return alpha, batch[SKIN]


@dataclass(frozen=True)
class AddedImages:
    """What a `MetricSet` was given.

    Attributes:
        states: what each metric was given, by ``region/name``; see `skinfw.interfaces.Metric.added`.
        per_image: the value of each image, by ``region/name``.
        unavailable: why a value is missing, by ``region/name``.
    """

    states: Mapping[str, Any]
    per_image: Mapping[str, list[float | None]]
    unavailable: Mapping[str, str]


class MetricSet:
    """Accumulates batches and computes the metrics at the end.

    Args:
        spec: defines the metrics.

    Attributes:
        info: unit and direction of each value, by ``region/name``; `compute` adds the metrics' metadata.
        per_image: the value of each image so far, by ``region/name``; None for no value.
        unavailable: why a value is missing, by ``region/name``.
    """

    def __init__(self, spec: Spec) -> None:
        self.unavailable: dict[str, str] = {}
        self.per_image: dict[str, list[float | None]] = {}
        self._metrics = {}
        for name, reference in numbered(spec.metrics).items():
            try:
                built = build_metric(reference)
            except Exception as error:
                for region in getattr(reference.config, "regions", ()):
                    self._give_up(f"{region}/{name}", error)
            else:
                self._metrics.update({f"{region}/{name}": metric for region, metric in built.items()})
        parameters = {
            name: {"type": reference.name, **reference.config.model_dump(mode="json", exclude={"regions"})}
            for name, reference in numbered(spec.metrics).items()
        }
        self.info = {
            key: MetricInfo(each.unit, each.direction, parameters=parameters[key.partition("/")[2]])
            for key, each in self._metrics.items()
        }

    def _give_up(self, key: str, error: Exception) -> None:
        """Report why a metric has no value; whatever it raised, the evaluation continues without it."""
        reason = str(error) if isinstance(error, SkinfwError) else f"{type(error).__name__}: {error}"
        # this runs for every generator and after every epoch: one warning is enough
        level = logging.DEBUG if (key, reason) in _told else logging.WARNING
        _told.add((key, reason))
        logger.log(level, "%s has no value: %s", key, reason)
        logger.debug("where %s failed", key, exc_info=error)
        self.unavailable[key] = reason
        self.per_image.pop(key, None)

    @torch.no_grad()
    def update(self, output: Tensor, batch: Batch, alpha: Tensor | None = None) -> None:
        """Add the inpainted images of a batch.

        Args:
            output: float32 RGB ``(B, 3, H, W)`` in [0, 1].
            batch: the samples.
            alpha: float32 ``(B, 1, H, W)`` in [0, 1]; None if the generator gives none.
        """
        for key, metric in self._metrics.items():
            if key in self.unavailable:
                continue
            try:
                values = metric.update(
                    *compared(metric, output, alpha, batch), batch.region(metric.io.region)
                )
                if values is not None:
                    self._add(key, values, len(output))
            except Exception as error:
                self._give_up(key, error)

    def _add(self, key: str, values: Tensor, images: int) -> None:
        if values.shape != (images,):
            raise ValueError(f"returned values of shape {tuple(values.shape)} for {images} images")
        self.per_image.setdefault(key, []).extend(plain(value) for value in values.tolist())

    @property
    def can_be_added(self) -> bool:
        """Whether several processes can measure with all metrics, each a part of the images."""
        return all(metric.can_be_added for metric in self._metrics.values())

    def added(self) -> AddedImages:
        """Return what was added so far, to be sent to another process."""
        states = {key: metric.added() for key, metric in self._metrics.items() if key not in self.unavailable}
        return AddedImages(states, self.per_image, self.unavailable)

    def add(self, other: AddedImages) -> None:
        """Add what the same metrics were given in another process, after what they were given here."""
        for key, reason in other.unavailable.items():
            if key not in self.unavailable:
                self.unavailable[key] = reason
                self.per_image.pop(key, None)
        for key, metric in self._metrics.items():
            if key in self.unavailable:
                continue
            metric.add(other.states[key])
            if key in other.per_image:
                self.per_image.setdefault(key, []).extend(other.per_image[key])

    @torch.no_grad()
    def compute(self) -> dict[str, float | None]:
        """Return the value of each metric over everything added; None if nothing was."""
        return {key: self._value(key) for key in self._metrics}

    def _value(self, key: str) -> float | None:
        if key in self.unavailable:
            return None
        try:
            value = plain(self._metrics[key].compute())
            card = {str(label): str(text) for label, text in self._metrics[key].metadata().items()}
        except Exception as error:
            self._give_up(key, error)
            return None
        self.info[key] = replace(self.info[key], metadata=card)
        if value is None:
            region = key.partition("/")[0]
            self.unavailable[key] = f"no finite value: is there any {region} in these images?"
        return value
