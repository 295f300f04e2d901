"""Contract checks: functions for plugin authors' tests that check what a component must do.

Each raises an ``AssertionError`` that says which part of the contract is violated.

Example:
    >>> from skinfw.testing import check_generator
    >>> from skinfw_plugins.generators.config import MeanColorConfig
    >>> from skinfw_plugins.generators.mean_color import MeanColorGenerator
    >>> check_generator(MeanColorGenerator, MeanColorConfig())
"""

from skinfw.testing.augmentation import check_augmentation
from skinfw.testing.component import check_component, check_config
from skinfw.testing.dataset import check_dataset
from skinfw.testing.discriminator import check_discriminator, check_receptive_field
from skinfw.testing.examples import (
    EXAMPLE_NAMES,
    example_batch,
    example_condition,
    example_context,
    example_dataset_io,
    example_generator_io,
    example_image,
    example_parts,
    example_region,
)
from skinfw.testing.generator import check_generator
from skinfw.testing.hooks import check_hooks
from skinfw.testing.input import check_input
from skinfw.testing.loss import check_loss
from skinfw.testing.metric import check_metric
from skinfw.testing.photo import check_pose_encoder, check_segmenter
from skinfw.testing.segmentation_loss import check_segmentation_loss
from skinfw.testing.segmentation_network import check_segmentation_network

__all__ = [
    "EXAMPLE_NAMES",
    "check_augmentation",
    "check_component",
    "check_config",
    "check_dataset",
    "check_discriminator",
    "check_generator",
    "check_hooks",
    "check_input",
    "check_loss",
    "check_metric",
    "check_pose_encoder",
    "check_receptive_field",
    "check_segmentation_loss",
    "check_segmentation_network",
    "check_segmenter",
    "example_batch",
    "example_condition",
    "example_context",
    "example_dataset_io",
    "example_generator_io",
    "example_image",
    "example_parts",
    "example_region",
]
