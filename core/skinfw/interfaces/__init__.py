"""The interfaces, one file each: abstract base classes that fail when built, not an hour later.

Each is imported on first use: preparing photos needs segmenters and pose encoders, but no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skinfw.data.dataset_io import DatasetIO
    from skinfw.interfaces.augmentation import Augmentation, AugmentationIO
    from skinfw.interfaces.dataset import Dataset
    from skinfw.interfaces.discriminator import Discriminator, DiscriminatorIO, DiscriminatorOutput
    from skinfw.interfaces.generator import Generator, GeneratorIO
    from skinfw.interfaces.input import Input
    from skinfw.interfaces.loss import AdversarialLoss, Discriminate, Loss, LossContext, LossIO
    from skinfw.interfaces.metric import Metric, MetricIO
    from skinfw.interfaces.pose_encoder import PoseEncoder
    from skinfw.interfaces.segmentation_loss import SegmentationLoss, SegmentationLossIO
    from skinfw.interfaces.segmentation_network import SegmentationNetwork, SegmentationNetworkIO
    from skinfw.interfaces.segmenter import Segmenter

__all__ = [
    "AdversarialLoss",
    "Augmentation",
    "AugmentationIO",
    "Dataset",
    "DatasetIO",
    "Discriminate",
    "Discriminator",
    "DiscriminatorIO",
    "DiscriminatorOutput",
    "Generator",
    "GeneratorIO",
    "Input",
    "Loss",
    "LossContext",
    "LossIO",
    "Metric",
    "MetricIO",
    "PoseEncoder",
    "SegmentationLoss",
    "SegmentationLossIO",
    "SegmentationNetwork",
    "SegmentationNetworkIO",
    "Segmenter",
]

_HOMES = {
    "AdversarialLoss": "loss",
    "Augmentation": "augmentation",
    "AugmentationIO": "augmentation",
    "Dataset": "dataset",
    "DatasetIO": "skinfw.data.dataset_io",
    "Discriminate": "loss",
    "Discriminator": "discriminator",
    "DiscriminatorIO": "discriminator",
    "Generator": "generator",
    "GeneratorIO": "generator",
    "DiscriminatorOutput": "discriminator",
    "Input": "input",
    "Loss": "loss",
    "LossContext": "loss",
    "LossIO": "loss",
    "Metric": "metric",
    "MetricIO": "metric",
    "PoseEncoder": "pose_encoder",
    "SegmentationLoss": "segmentation_loss",
    "SegmentationLossIO": "segmentation_loss",
    "SegmentationNetwork": "segmentation_network",
    "SegmentationNetworkIO": "segmentation_network",
    "Segmenter": "segmenter",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    return getattr(import_module(home if "." in home else f"{__name__}.{home}"), name)
