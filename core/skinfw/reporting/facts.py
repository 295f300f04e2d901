"""What a report says about a run besides its metrics."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from skinfw.assembly.assemble import build_discriminator, build_generator
from skinfw.components.direction import ARROWS, BETTER
from skinfw.components.reference import numbered
from skinfw.components.registry import installed
from skinfw.evaluation.metric_metadata import images_text, merged
from skinfw.evaluation.metric_tables import metric_label
from skinfw.evaluation.results import Evaluation
from skinfw.specs.spec import Spec


@dataclass(frozen=True)
class MetricCard:
    """How a metric was measured.

    Attributes:
        name: its name in the results.
        direction: whether more or less is better, in words.
        provider: the package that provides the metric.
        regions: what each of its values was measured over.
        facts: backbone, resizing, warnings and the like, by label; empty for a plain formula.
        explanation: the metric's documentation, one paragraph per item.
    """

    name: str
    direction: str
    provider: str
    regions: Sequence[str]
    facts: Mapping[str, str]
    explanation: Sequence[str]


def metric_cards(spec: Spec, evaluation: Evaluation) -> list[MetricCard]:
    """Return a card for each metric of a spec that the evaluation could compute."""
    registry = installed()
    regions: dict[str, list[str]] = {}
    for key in evaluation.metrics:
        regions.setdefault(key.partition("/")[2], []).append(key)
    types = {name: reference.name for name, reference in numbered(spec.metrics).items()}
    return [
        MetricCard(
            name=metric_label(keys[0]),
            direction=_direction(evaluation, keys[0]),
            provider=registry.entry("metric", types[name]).provider,
            regions=[f"{key.partition('/')[0]}: {images_text(evaluation, key)}" for key in keys],
            facts=merged({key.partition("/")[0]: evaluation.metrics[key].metadata for key in keys}),
            explanation=_paragraphs(registry.component_class("metric", types[name])),
        )
        for name, keys in regions.items()
    ]


def _direction(evaluation: Evaluation, key: str) -> str:
    info = evaluation.metrics[key]
    unit = f", in {info.unit}" if info.unit else ""
    return f"{ARROWS[info.direction]} {BETTER[info.direction]}{unit}"


def _paragraphs(metric: type[Any]) -> list[str]:
    """Return the description in a class's docstring, up to its arguments, without markup."""
    text = (inspect.getdoc(metric) or "").partition("\n\nArgs:")[0].replace("`", "")
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


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
    """Return the facts about a training that a report shows, by label.

    Args:
        spec: the run's spec.
        log: the run's log.
        step: training steps of the evaluated weights.
    """
    return run_facts(log, step, network_parameters(spec))


def run_facts(log: Sequence[Mapping[str, Any]], step: int, parameters: Mapping[str, int]) -> dict[str, str]:
    """Return the facts about a training of either task that a report shows, by label.

    Args:
        log: the run's log.
        step: training steps of the evaluated weights.
        parameters: number of parameters of each network, by role.
    """
    steps = [record for record in log if record.get("event") == "step"]
    facts = {"step of these weights": f"{step:,}"}
    if steps:
        facts["steps trained"] = f"{steps[-1]['step']:,}"
        facts["last epoch"] = f"{steps[-1].get('epoch', 0) + 1:,}"
        paces = sorted(record["seconds_per_step"] for record in steps if "seconds_per_step" in record)
        if paces:
            facts["time per step (median)"] = f"{paces[len(paces) // 2]:.3g} s"
    for role, count in parameters.items():
        facts[f"{role} parameters"] = f"{count:,}"
    return facts
