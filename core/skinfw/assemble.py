"""Builds the components of a spec, each with what it needs to know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skinfw.build import build
from skinfw.component_spec import ComponentSpec, numbered
from skinfw.config import LossConfig, MetricConfig, Region
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
    """Build the generator for the spec's size and inputs."""
    return build(
        spec.generator, Generator, GeneratorIO(spec.data.size, spec.data.inputs, spec.composite_margin)
    )


def build_baselines(spec: Spec) -> dict[str, Generator[Any]]:
    """Build the baselines by name, each for just the inputs that it requires."""
    built = {}
    for name, reference in numbered(spec.baselines).items():
        inputs = getattr(reference.config, "required_inputs", ())
        built[name] = build(reference, Generator, GeneratorIO(spec.data.size, inputs, spec.composite_margin))
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


def build_metric(reference: ComponentSpec) -> dict[Region, Metric[Any]]:
    """Build a metric once for each of its regions."""
    regions = reference.config.regions if isinstance(reference.config, MetricConfig) else ()
    return {region: build(reference, Metric, MetricIO(region)) for region in regions}
