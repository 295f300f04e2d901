"""The metrics of one painter, each on its own: one that cannot run does not stop the others."""

from __future__ import annotations

import logging

import torch
from torch import Tensor

from skinfw.assemble import build_metric
from skinfw.component_spec import numbered
from skinfw.errors import SkinfwError
from skinfw.evaluation.results import MetricInfo, plain
from skinfw.spec import Spec

logger = logging.getLogger("skinfw")


class Figures:
    """Takes in batches, and gives figures in the end.

    Args:
        spec: names the metrics.

    Attributes:
        info: how to read each figure, by ``region/name``.
        per_picture: the value of each picture so far, by ``region/name``; None for no value.
        unavailable: why a figure has no value, by ``region/name``.
    """

    def __init__(self, spec: Spec) -> None:
        self.unavailable: dict[str, str] = {}
        self._metrics = {}
        for name, reference in numbered(spec.metrics).items():
            try:
                built = build_metric(reference)
            except SkinfwError as error:
                for region in getattr(reference.config, "regions", ()):
                    self._give_up(f"{region}/{name}", error)
            else:
                self._metrics.update({f"{region}/{name}": metric for region, metric in built.items()})
        self.info = {key: MetricInfo(each.unit, each.direction) for key, each in self._metrics.items()}
        self.per_picture: dict[str, list[float | None]] = {}

    def _give_up(self, key: str, error: SkinfwError) -> None:
        logger.warning("%s has no value: %s", key, error)
        self.unavailable[key] = str(error)

    @torch.no_grad()
    def update(self, output: Tensor, target: Tensor, skin: Tensor) -> None:
        """Take in a batch; see `skinfw.interfaces.Metric.update` for the shapes."""
        for key, metric in self._metrics.items():
            if key in self.unavailable:
                continue
            try:
                values = metric.update(output, target, skin)
            except SkinfwError as error:
                self._give_up(key, error)
                self.per_picture.pop(key, None)
                continue
            if values is not None:
                self.per_picture.setdefault(key, []).extend(plain(value) for value in values.tolist())

    @torch.no_grad()
    def compute(self) -> dict[str, float | None]:
        """Return the value of each metric over everything taken in; None where there is none."""
        return {key: self._value(key) for key in self._metrics}

    def _value(self, key: str) -> float | None:
        if key in self.unavailable:
            return None
        try:
            value = plain(self._metrics[key].compute())
        except SkinfwError as error:
            self._give_up(key, error)
            return None
        if value is None:
            region = key.partition("/")[0]
            self.unavailable[key] = f"no finite value: is there any {region} in these pictures?"
        return value
