"""What the loop trains, for any task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

from accelerate import Accelerator
from torch import Tensor

from skinfw.data.batch import Batch
from skinfw.data.sample import Sample
from skinfw.data.sample_cache import SampleCache
from skinfw.data.segmentation import RgbImage
from skinfw.data.split import Split
from skinfw.evaluation.results import Evaluation
from skinfw.runs.checkpoints import Checkpoint, average_of
from skinfw.runs.data_record import Hashed
from skinfw.training.finite import check_finite
from skinfw.training.monitor import Monitor
from skinfw.training.optimized import OptimizedModule
from skinfw.training.ranks import Ranks
from skinfw.training.step_losses import StepLosses


class SampleSource(Protocol):
    """The source of samples: a data set, or its equivalent for another task."""

    def names(self) -> Sequence[str]:
        """Return the names of all samples."""

    def group(self, name: str) -> str:
        """Return the group of a sample; the split keeps a group on one side."""

    def load(self, name: str) -> Sample:
        """Return one sample."""

    def fingerprint(self) -> str:
        """Return a hash that changes when the data change."""

    def sample_fingerprints(self) -> Mapping[str, str]:
        """Return a hash of each sample by name; empty if the data set has none."""

    def unchanged(self, name: str) -> bool:
        """Return whether a sample is the hashed one. See `skinfw.interfaces.Dataset.unchanged`."""

    def settings(self) -> Mapping[str, Any] | None:
        """Return what samples depend on besides the data. See `skinfw.interfaces.Dataset.settings`."""


class TrainingModule(ABC):
    """Networks in training, evaluated and shown according to their task.

    Args:
        accelerator: provides device, precision and processes.
        cache: caches decoded samples of the run's data.

    Attributes:
        network: name in checkpoints of the network for inference.
    """

    network: ClassVar[str]

    def __init__(self, accelerator: Accelerator, cache: SampleCache) -> None:
        self.accelerator = accelerator
        self.cache = cache

    @property
    @abstractmethod
    def parts(self) -> Sequence[OptimizedModule[Any]]:
        """The networks with their optimizers."""

    @abstractmethod
    def prepare_training(self, split: Split, source: Hashed) -> None:
        """Prepare the networks, once before the first step of a run; a checkpoint contains all weights.

        Args:
            split: the samples of the run.
            source: their data.
        """

    @abstractmethod
    def train_step(self, batches: Sequence[Batch], step: int) -> StepLosses:
        """Take one step, on ``gradient_accumulation`` batches, without waiting for the device.

        Args:
            batches: equally large batches, on any device.
            step: the current step, counted from 1.

        Returns:
            the unweighted losses by name, means over all batches and processes; they may be NaN or infinite.
        """

    @abstractmethod
    def evaluate(self, names: Sequence[str], step: int, ranks: Ranks) -> Evaluation:
        """Evaluate validation samples; the caller's random state is preserved.

        Args:
            names: the samples.
            step: training steps of the weights.
            ranks: the processes of the run, which share out the samples; only the first one gets values.
        """

    @abstractmethod
    def monitor(self, names: Sequence[str]) -> Monitor | None:
        """Return the monitor of the best checkpoint; None if nothing can be measured.

        Args:
            names: the validation samples.
        """

    @abstractmethod
    def sample_rows(self, names: Sequence[str]) -> list[RgbImage]:
        """Return current samples of the networks, uint8 RGB, one row of images each."""

    def agree(self, ranks: Ranks) -> None:  # noqa: B027  # not all have to
        """Exchange what only some processes have seen, before it is saved; all processes must call it."""

    def unlike(self, checkpoint: Checkpoint) -> str:
        """Return why the weights of a checkpoint do not fit, besides their shapes, or an empty text."""
        return ""

    def about(self) -> dict[str, Any]:
        """Return what a checkpoint must contain besides the spec, as JSON."""
        return {}

    def check_finite(self, step: int, saved: str) -> None:
        """Raise an error if a weight, a buffer or the state of an optimizer is not finite.

        Args:
            step: optimizer steps done.
            saved: which checkpoints there are, for the error.

        Raises:
            TrainingError: something contains NaN or infinity.
        """
        free = {name for part in self.parts for name in part.never_finite}
        check_finite(self.state(), step, saved, free=free)

    def set_rate(self, factor: float) -> None:
        """Set the learning rates to ``factor`` times those of the spec."""
        for part in self.parts:
            part.set_rate(factor)

    def state(self) -> dict[str, Tensor]:
        """Return everything needed to resume training, as tensors by name."""
        return {name: tensor for part in self.parts for name, tensor in part.state().items()}

    def used(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the part of a state needed for inference: the network, with averaged weights if any."""
        own, average = f"{self.network}.", f"{average_of(self.network)}."
        prefix = average if any(name.startswith(average) for name in state) else own
        return {
            f"{own}{name.removeprefix(prefix)}": tensor
            for name, tensor in state.items()
            if name.startswith(prefix)
        }

    def scaler_state(self) -> dict[str, float] | None:
        """Return the state of float16's gradient scaler, plain numbers; None without one."""
        scaler = self.accelerator.scaler
        return scaler.state_dict() if scaler is not None else None

    def load(self, checkpoint: Checkpoint) -> None:
        """Restore a checkpoint with everything from `state` and `scaler_state`."""
        if self.accelerator.scaler is not None and checkpoint.about.get("scaler"):
            self.accelerator.scaler.load_state_dict(checkpoint.about["scaler"])
        for part in self.parts:
            part.load(checkpoint)
