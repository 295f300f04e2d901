"""The losses of training steps, which stay on the device until somebody reads them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from skinfw.training.finite import diverged

MAX_UNCHECKED = 1000
"""Steps after which losses are checked even if nothing is logged or saved, so that few are in memory."""


class StepLosses(Mapping[str, float]):
    """The unweighted losses of one step by name.

    The first look at a value reads all of them, for which the CPU waits for the device. The names are known
    without waiting.

    Args:
        names: the losses' names.
        tensors: their values, float32; together as many as the names.

    Example:
        >>> losses = StepLosses(["l1"], [torch.tensor([0.5])]) | StepLosses(["gan"], [torch.tensor([2.0])])
        >>> list(losses), losses["gan"]
        (['l1', 'gan'], 2.0)
    """

    def __init__(self, names: Sequence[str], tensors: Sequence[Tensor]) -> None:
        self._names, self.tensors = tuple(names), tuple(tensors)
        self._read: dict[str, float] | None = None

    def __getitem__(self, name: str) -> float:
        if self._read is None:
            self._read = dict(zip(self._names, torch.cat(self.tensors).tolist(), strict=True))
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __or__(self, other: StepLosses) -> StepLosses:
        return StepLosses(self._names + other._names, self.tensors + other.tensors)


class LossCheck:
    """Finds losses that are not finite, for many steps at once."""

    def __init__(self) -> None:
        self._unchecked: list[tuple[int, StepLosses]] = []

    @property
    def full(self) -> bool:
        """Whether so many steps are unchecked that they should be checked now."""
        return len(self._unchecked) >= MAX_UNCHECKED

    def add(self, step: int, losses: StepLosses) -> None:
        """Keep the losses of a step, counted from 1, for the next check; this reads nothing."""
        self._unchecked.append((step, losses))

    def check(self, saved: Callable[[int], str]) -> None:
        """Check all steps since the last check, waiting for the device once.

        Args:
            saved: describes the existing checkpoints for an error about a step.

        Raises:
            TrainingError: a loss is not finite; the message names the first such step and its loss.
        """
        unchecked, self._unchecked = self._unchecked, []
        tensors = [tensor for _, losses in unchecked for tensor in losses.tensors]
        if not tensors or torch.cat(tensors).isfinite().all():
            return
        for step, losses in unchecked:
            for name, value in losses.items():
                if not math.isfinite(value):
                    raise diverged(f"in step {step} the loss '{name}' became {value}", saved(step))
