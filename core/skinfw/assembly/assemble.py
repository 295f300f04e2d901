"""Builds the components of a spec."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from skinfw.assembly.build import build
from skinfw.components.config import AugmentationConfig, GeneratorConfig, LossConfig, MetricConfig
from skinfw.components.field_names import SKIN
from skinfw.components.measured_region import WHOLE, Region, region_field
from skinfw.components.reference import ComponentSpec, numbered, use
from skinfw.interfaces import (
    Augmentation,
    AugmentationIO,
    Dataset,
    DatasetIO,
    Discriminator,
    DiscriminatorIO,
    Generator,
    GeneratorIO,
    Input,
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


def build_inputs(spec: Spec, names: Iterable[str]) -> dict[str, Input[Any]]:
    """Build inputs by name: those in the spec as configured there, others with their defaults."""
    configured = {reference.name: reference for reference in spec.data.inputs}
    return {name: build(configured.get(name) or use("input", name), Input) for name in dict.fromkeys(names)}


def dataset_io(spec: Spec, inputs: Iterable[str], *, needs_keypoints: bool = False) -> DatasetIO:
    """Return what a data set must provide for inpainting: the inputs, and the masks of composite and losses.

    Args:
        spec: describes the data.
        inputs: names of inputs needed besides those of the generator.
        needs_keypoints: whether every sample must have keypoints.
    """
    composited = [SKIN] if spec.composite == "skin" else []
    names = dict.fromkeys([*spec.data.input_names, *inputs, *composited])
    return DatasetIO(
        spec.data.size,
        build_inputs(spec, names),
        needs_keypoints=needs_keypoints,
        mask_margin=spec.data.mask_margin,
    )


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
    return build(spec.data.dataset, Dataset, replace(io, optional=optional))


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


def input_channels(spec: Spec, names: Iterable[str]) -> dict[str, int]:
    """Return how many channels of a condition each of the named inputs has."""
    return {name: each.config.channels for name, each in build_inputs(spec, names).items()}


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
