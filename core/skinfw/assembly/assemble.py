"""Builds the components of a spec, each with what it needs to know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skinfw.assembly.build import build
from skinfw.components.config import AugmentationConfig, GeneratorConfig, LossConfig, MetricConfig, Region
from skinfw.components.inputs import POSES, channels_of
from skinfw.components.reference import ComponentSpec, numbered
from skinfw.interfaces import (
    Augmentation,
    AugmentationIO,
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
    SegmentationNetwork,
    SegmentationNetworkIO,
)
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.spec import Spec


def build_dataset(spec: Spec, inputs: Sequence[str] = (), *, needs_keypoints: bool = False) -> Dataset[Any]:
    """Build the data set.

    Args:
        spec: describes the data.
        inputs: input pictures that are wanted beside those of the generator.
        needs_keypoints: whether every sample must bring its keypoints.
    """
    needs_skin = spec.composite == "skin" or any(loss.region == "skin" for loss in _loss_configs(spec))
    names = tuple(dict.fromkeys([*spec.data.inputs, *inputs]))
    io = DatasetIO(spec.data.size, names, needs_skin, needs_keypoints)
    return build(spec.data.dataset, Dataset, io)


def build_training_dataset(spec: Spec) -> Dataset[Any]:
    """Build the data set with all that losses and augmentations need of its samples.

    Keypoints are needed where an augmentation moves pixels of a drawn pose.
    """
    changes = [each.config for each in spec.augmentations if isinstance(each.config, AugmentationConfig)]
    more = [name for loss in _loss_configs(spec) for name in loss.required_inputs]
    more += [name for change in changes for name in change.required_inputs]
    drawn = any(name in POSES for name in (*spec.data.inputs, *more))
    return build_dataset(spec, more, needs_keypoints=drawn and any(change.geometric for change in changes))


def _loss_configs(spec: Spec) -> list[LossConfig]:
    return [loss.config for loss in spec.losses if isinstance(loss.config, LossConfig)]


def build_augmentations(spec: Spec) -> list[Augmentation[Any]]:
    """Build the augmentations in the order of the spec."""
    return [build(each, Augmentation, AugmentationIO(spec.data.size)) for each in spec.augmentations]


def build_generator(spec: Spec) -> Generator[Any]:
    """Build the generator for the spec's size and inputs."""
    return build(
        spec.generator, Generator, GeneratorIO(spec.data.size, spec.data.inputs, spec.composite_margin)
    )


def build_baselines(spec: Spec) -> dict[str, Generator[Any]]:
    """Build the baselines by name, each for just the inputs that it requires."""
    built = {}
    for name, reference in numbered(spec.baselines).items():
        inputs = reference.config.required_inputs if isinstance(reference.config, GeneratorConfig) else ()
        built[name] = build(reference, Generator, GeneratorIO(spec.data.size, inputs, spec.composite_margin))
    return built


def build_discriminator(spec: Spec) -> Discriminator[Any] | None:
    """Build the discriminator, or return None where the spec has none."""
    if spec.discriminator is None:
        return None
    conditional = getattr(spec.discriminator.config, "conditional", False)
    channels = sum(map(channels_of, spec.data.inputs)) if conditional else 0
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
