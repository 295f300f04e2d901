"""Builds the components of a spec."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from skinfw.assembly.build import build
from skinfw.assembly.inputs import build_inputs, dataset_io, input_channels
from skinfw.components.config import AugmentationConfig, GeneratorConfig, LossConfig, MetricConfig
from skinfw.components.measured_region import WHOLE, Region, region_field
from skinfw.components.reference import ComponentSpec, numbered
from skinfw.interfaces import (
    Augmentation,
    AugmentationIO,
    Dataset,
    Discriminator,
    DiscriminatorIO,
    Generator,
    GeneratorIO,
    Loss,
    LossIO,
    Metric,
    MetricIO,
    SegmentationLoss,
    SegmentationLossIO,
    SegmentationNetwork,
    SegmentationNetworkIO,
)
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.spec import Spec


def build_dataset(spec: Spec, inputs: Iterable[str] = ()) -> Dataset[Any]:
    """Build the data set for evaluation; its samples include the regions of losses and metrics.

    Args:
        spec: describes the data.
        inputs: names of inputs needed besides those of the generator.
    """
    configs = [metric.config for metric in spec.metrics if isinstance(metric.config, MetricConfig)]
    measured = _fields(region for config in configs for region in config.regions)
    io = dataset_io(spec, [*inputs, *_loss_regions(spec)])
    optional = build_inputs(spec, [name for name in measured if name not in io.inputs])
    return build(spec.data.dataset, Dataset, replace(io, optional={**io.optional, **optional}))


def build_training_dataset(spec: Spec) -> Dataset[Any]:
    """Build the data set for training, with everything that losses and augmentations need.

    Keypoints are needed if an augmentation moves pixels of a pose map. Regions that only metrics use are
    not in its samples.
    """
    changes = [each.config for each in spec.augmentations if isinstance(each.config, AugmentationConfig)]
    more = [name for loss in _loss_configs(spec) for name in loss.required_inputs]
    more += [name for change in changes for name in change.required_inputs]
    inputs = build_inputs(spec, [*spec.data.input_names, *more])
    drawn = any(each.config.shows_pose for each in inputs.values())
    io = dataset_io(
        spec,
        [*more, *_loss_regions(spec)],
        needs_keypoints=drawn and any(change.geometric for change in changes),
    )
    return build(spec.data.dataset, Dataset, io)


def _loss_regions(spec: Spec) -> list[str]:
    return _fields(loss.region for loss in _loss_configs(spec))


def _fields(regions: Iterable[Region]) -> list[str]:
    return [region_field(region) for region in dict.fromkeys(regions) if region != WHOLE]


def _loss_configs(spec: Spec) -> list[LossConfig]:
    return [loss.config for loss in spec.losses if isinstance(loss.config, LossConfig)]


def build_augmentations(spec: Spec | SegmentationSpec) -> list[Augmentation[Any]]:
    """Build the augmentations in the order of the spec."""
    return [build(each, Augmentation, AugmentationIO(spec.data.size)) for each in spec.augmentations]


def build_generator(spec: Spec) -> Generator[Any]:
    """Build the generator for the spec's size and inputs."""
    io = GeneratorIO(spec.data.size, input_channels(spec, spec.data.input_names))
    return build(spec.generator, Generator, io)


def build_baselines(spec: Spec) -> dict[str, Generator[Any]]:
    """Build the baselines by name, each with only the inputs that it requires."""
    built = {}
    for name, reference in numbered(spec.baselines).items():
        inputs = reference.config.required_inputs if isinstance(reference.config, GeneratorConfig) else ()
        built[name] = build(reference, Generator, GeneratorIO(spec.data.size, input_channels(spec, inputs)))
    return built


def build_discriminator(spec: Spec) -> Discriminator[Any] | None:
    """Build the discriminator, or return None if the spec has none."""
    if spec.discriminator is None:
        return None
    conditional = getattr(spec.discriminator.config, "conditional", False)
    channels = sum(input_channels(spec, spec.data.input_names).values()) if conditional else 0
    return build(spec.discriminator, Discriminator, DiscriminatorIO(spec.data.size, channels))


def build_losses(spec: Spec) -> list[Loss[Any]]:
    """Build the losses in the order of the spec."""
    return [build(loss, Loss, LossIO(spec.data.size)) for loss in spec.losses]


def build_metric(reference: ComponentSpec) -> dict[Region, Metric[Any]]:
    """Build a metric once for each of its regions."""
    regions = reference.config.regions if isinstance(reference.config, MetricConfig) else ()
    return {region: build(reference, Metric, MetricIO(region)) for region in regions}


def build_segmentation_network(spec: SegmentationSpec, classes: int) -> SegmentationNetwork[Any]:
    """Build the network of a segmentation spec for its size and a number of classes."""
    return build(spec.network, SegmentationNetwork, SegmentationNetworkIO(spec.data.size, classes))


def build_segmentation_losses(
    spec: SegmentationSpec, classes: tuple[str, ...]
) -> dict[str, SegmentationLoss[Any]]:
    """Build the losses of a segmentation spec by name, for named classes in the order of the channels."""
    io = SegmentationLossIO(classes)
    return {name: build(each, SegmentationLoss, io) for name, each in numbered(spec.losses).items()}
