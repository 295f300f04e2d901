"""The kinds of components. Light: no torch."""

from __future__ import annotations

from collections.abc import Mapping

from skinfw.components.config import (
    AugmentationConfig,
    ComponentConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    InputConfig,
    LossConfig,
    MetricConfig,
    PoseEncoderConfig,
    SegmentationLossConfig,
    SegmentationNetworkConfig,
)

CONFIGS: Mapping[str, type[ComponentConfig]] = {
    "dataset": ComponentConfig,
    "segmenter": ComponentConfig,
    "pose_encoder": PoseEncoderConfig,
    "input": InputConfig,
    "augmentation": AugmentationConfig,
    "generator": GeneratorConfig,
    "discriminator": DiscriminatorConfig,
    "loss": LossConfig,
    "metric": MetricConfig,
    "segmentation_network": SegmentationNetworkConfig,
    "segmentation_loss": SegmentationLossConfig,
}
"""The base class of the configurations of each kind."""

KINDS = tuple(CONFIGS)
"""All kinds."""
