"""What a report says about a run beside its figures."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from skinfw.assemble import build_discriminator, build_generator
from skinfw.evaluation.results import TRAINED, Evaluation
from skinfw.registry import installed
from skinfw.reporting.figures import ARROWS, figure_label
from skinfw.spec import Spec


@dataclass(frozen=True)
class MetricCard:
    """How a figure came about.

    Attributes:
        name: its name, for instance ``skin PSNR``.
        direction: whether more or less is better, in words.
        provider: who brought the metric.
        pictures: pictures that have a value, or None for a metric over the whole set.
        explanation: the metric's own documentation.
    """

    name: str
    direction: str
    provider: str
    pictures: int | None
    explanation: str


def metric_cards(evaluation: Evaluation) -> list[MetricCard]:
    """Return a card for each figure of an evaluation."""
    registry = installed()
    cards = []
    for key, info in evaluation.metrics.items():
        name = key.partition("/")[2]
        values = evaluation.per_picture[TRAINED].get(key)
        text = inspect.getdoc(registry.component_class("metric", name)) or ""
        cards.append(
            MetricCard(
                name=figure_label(key),
                direction=f"{ARROWS[info.direction]} {info.direction} is better",
                provider=registry.entry("metric", name).provider,
                pictures=None if values is None else sum(value is not None for value in values),
                explanation=text.partition("\n\nArgs:")[0],
            )
        )
    return cards


def network_parameters(spec: Spec) -> dict[str, int]:
    """Return the trained parameters of each network of a spec, by role."""
    networks: dict[str, nn.Module | None] = {
        "generator": build_generator(spec),
        "discriminator": build_discriminator(spec),
    }
    return {
        role: sum(each.numel() for each in network.parameters() if each.requires_grad)
        for role, network in networks.items()
        if network is not None
    }


def training_facts(spec: Spec, log: Sequence[Mapping[str, Any]], step: int) -> dict[str, str]:
    """Return what is told about the training, by label.

    Args:
        spec: the run's spec.
        log: the run's log.
        step: training steps behind the weights that were measured.
    """
    steps = [record for record in log if record.get("event") == "step"]
    facts = {"steps behind these weights": f"{step:,}"}
    if steps:
        facts["steps trained"] = f"{steps[-1]['step']:,}"
        facts["epochs trained"] = f"{steps[-1].get('epoch', 0) + 1:,}"
        paces = sorted(record["seconds_a_step"] for record in steps if "seconds_a_step" in record)
        if paces:
            facts["time a step (median)"] = f"{paces[len(paces) // 2]:.3g} s"
    for role, count in network_parameters(spec).items():
        facts[f"{role} parameters"] = f"{count:,}"
    return facts
