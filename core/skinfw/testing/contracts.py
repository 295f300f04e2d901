"""The check of each kind of component."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from skinfw.testing.augmentation import check_augmentation
from skinfw.testing.dataset import check_dataset
from skinfw.testing.discriminator import check_discriminator
from skinfw.testing.generator import check_generator
from skinfw.testing.input import check_input
from skinfw.testing.loss import check_loss
from skinfw.testing.metric import check_metric
from skinfw.testing.photo import check_pose_encoder, check_segmenter
from skinfw.testing.segmentation_loss import check_segmentation_loss
from skinfw.testing.segmentation_network import check_segmentation_network

CONTRACTS: Mapping[str, Callable[..., None]] = {
    "dataset": check_dataset,
    "segmenter": check_segmenter,
    "pose_encoder": check_pose_encoder,
    "input": check_input,
    "augmentation": check_augmentation,
    "generator": check_generator,
    "discriminator": check_discriminator,
    "loss": check_loss,
    "metric": check_metric,
    "segmentation_loss": check_segmentation_loss,
    "segmentation_network": check_segmentation_network,
}
"""By kind: a function of the class, a configuration, and further arguments."""
