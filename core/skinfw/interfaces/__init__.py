"""The interfaces: one file each, abstract base classes that fail when built, not an hour later."""

from skinfw.interfaces.dataset import Dataset, DatasetIO
from skinfw.interfaces.discriminator import Discriminator, DiscriminatorIO
from skinfw.interfaces.generator import Generator, GeneratorIO
from skinfw.interfaces.loss import AdversarialLoss, Loss, LossIO, Step
from skinfw.interfaces.metric import Metric, MetricIO
from skinfw.interfaces.pose_encoder import PoseEncoder
from skinfw.interfaces.segmenter import Segmenter

__all__ = [
    "AdversarialLoss",
    "Dataset",
    "DatasetIO",
    "Discriminator",
    "DiscriminatorIO",
    "Generator",
    "GeneratorIO",
    "Loss",
    "LossIO",
    "Metric",
    "MetricIO",
    "PoseEncoder",
    "Segmenter",
    "Step",
]
