"""Builds the components of a spec, each with what it needs to know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skinfw.build import build
from skinfw.config import LossConfig, MetricConfig
from skinfw.errors import RegistryError, SpecError
from skinfw.interfaces import (
    Dataset,
    DatasetIO,
    Discriminator,
    DiscriminatorIO,
    Generator,
    GeneratorIO,
    Loss,
    LossIO,
    Metric,
    MetricIO,
)
from skinfw.registry import installed
from skinfw.spec import Spec


def build_dataset(spec: Spec, inputs: Sequence[str] = ()) -> Dataset[Any]:
    """Build the data set.

    Args:
        spec: describes the data.
        inputs: input pictures that are wanted beside those of the generator.
    """
    needs_skin = spec.composite == "skin" or any(
        isinstance(loss.config, LossConfig) and loss.config.region == "skin" for loss in spec.losses
    )
    names = tuple(dict.fromkeys([*spec.data.inputs, *inputs]))
    return build(spec.data.dataset, Dataset, DatasetIO(spec.data.size, names, needs_skin))


def build_generator(spec: Spec) -> Generator[Any]:
    """Build the generator for the spec's size and inputs.

    Raises:
        SpecError: the generator needs an input that the spec does not give it.
    """
    generator = build(spec.generator, Generator, GeneratorIO(spec.data.size, spec.data.inputs))
    missing = sorted(set(generator.required_inputs) - set(spec.data.inputs))
    if missing:
        fault = f"$.data.inputs: the generator {spec.generator.name!r} needs {', '.join(missing)}"
        raise SpecError(spec.name, [fault])
    return generator


def build_baselines(spec: Spec) -> dict[str, Generator[Any]]:
    """Build the baselines by name, each for just the inputs that it requires.

    Raises:
        RegistryError: a baseline has something to train.
    """
    built = {}
    for reference in spec.baselines:
        inputs = installed().component_class("generator", reference.name).required_inputs
        baseline = build(reference, Generator, GeneratorIO(spec.data.size, tuple(inputs)))
        if baseline.trainable:
            raise RegistryError(f"$.baselines: {reference.name!r} has something to train; it is no baseline")
        built[reference.name] = baseline
    return built


def build_discriminator(spec: Spec) -> Discriminator[Any] | None:
    """Build the discriminator, or return None where the spec has none."""
    if spec.discriminator is None:
        return None
    conditional = getattr(spec.discriminator.config, "conditional", False)
    channels = 3 * len(spec.data.inputs) if conditional else 0
    return build(spec.discriminator, Discriminator, DiscriminatorIO(spec.data.size, channels))


def build_losses(spec: Spec) -> list[Loss[Any]]:
    """Build the losses in the order of the spec."""
    return [build(loss, Loss, LossIO(spec.data.size)) for loss in spec.losses]


def build_metrics(spec: Spec) -> dict[str, Metric[Any]]:
    """Build every metric once for each of its regions, by key ``region/name``."""
    return {
        f"{region}/{metric.name}": build(metric, Metric, MetricIO(region))
        for metric in spec.metrics
        if isinstance(metric.config, MetricConfig)
        for region in metric.config.regions
    }
