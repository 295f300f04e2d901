"""From a data set to batches: one sample at a time, in an order that depends only on seed and epoch."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import torch
from torch.utils.data import DataLoader, Sampler
from torch.utils.data import Dataset as TorchDataset

from skinfw.data.batch import Batch, collate
from skinfw.data.sample_cache import Readable
from skinfw.errors import DataError
from skinfw.system.processes import cores, end_with_parent, loader_context

logger = logging.getLogger("skinfw")

_CPU = torch.device("cpu")

_Loaded = tuple[Any, list[DataError]]
"""A sample, or None if it cannot be read, and the error."""


class _Named(TorchDataset[_Loaded]):
    """Loads samples by name; returns errors instead of raising them, as workers would add a traceback.

    In training the next readable sample replaces an unreadable one, so that every batch of every process
    is full.
    """

    def __init__(self, dataset: Readable, names: Sequence[str], replace: bool) -> None:
        self.dataset = dataset
        self.names = names
        self.tries = len(names) if replace else 1

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> _Loaded:
        errors: list[DataError] = []
        for place in range(index, index + self.tries):
            try:
                return self.dataset.load(self.names[place % len(self.names)]), errors
            except DataError as error:
                errors.append(error)
        return None, errors


def _collate(found: Sequence[_Loaded]) -> tuple[Batch | None, list[DataError]]:
    samples = [sample for sample, _ in found if sample is not None]
    return (collate(samples) if samples else None), [error for _, errors in found for error in errors]


class ShuffledOrder(Sampler[int]):
    """A new order for every epoch, fixed by seed and epoch; it can start anywhere in the epoch.

    Args:
        length: number of samples.
        seed: seed of the run.
        rank: this process among the processes of the run.
        processes: number of processes; each gets the same number of samples, the remainder is dropped.
    """

    def __init__(self, length: int, seed: int, rank: int = 0, processes: int = 1) -> None:
        self.length = length
        self.seed = seed
        self.rank = rank
        self.processes = processes
        self.epoch = 0
        self.skip = 0

    def start(self, epoch: int, skip: int) -> None:
        """Go to an epoch, skipping this process's first ``skip`` samples."""
        self.epoch, self.skip = epoch, skip

    def __len__(self) -> int:
        return self.length // self.processes - self.skip

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order = torch.randperm(self.length, generator=generator).tolist()
        used = self.length // self.processes * self.processes
        yield from order[self.rank : used : self.processes][self.skip :]


MAX_AUTO_PROCESSES = 8
"""Maximum of ``auto``: a few processes keep up with a GPU once samples are cached."""


def loader_processes(wanted: int | Literal["auto"], device: torch.device, batches: int) -> int:
    """Return how many processes load samples; samples and order do not depend on it.

    Args:
        wanted: the number; ``auto``: none on a CPU, where they would compete with the training; otherwise
            this process's share of the machine's cores less its own one, at least 1 and at most 8.
        device: the device of the networks.
        batches: the batches to load; ``auto`` starts at most as many processes.

    Example:
        >>> loader_processes("auto", torch.device("cpu"), 100)
        0
    """
    if wanted != "auto":
        return wanted
    if device.type == "cpu":
        return 0
    beside = os.environ.get("LOCAL_WORLD_SIZE", "")  # torchrun and accelerate set it
    share = cores() // int(beside) if beside.isdecimal() and int(beside) else cores()
    return max(1, min(MAX_AUTO_PROCESSES, share - 1, batches))


class Loader:
    """Yields batches of samples, and warns once about each sample that it had to skip.

    Args:
        dataset: the source of the samples.
        names: the samples' names, in order.
        batch_size: samples per batch; the last batch may be smaller unless ``order`` is given.
        num_workers: processes that load samples; 0 loads in this one. See `loader_processes`.
        device: the device of the networks, on which ``auto`` depends.
        skip_corrupt: skip samples that cannot be read, instead of raising `DataError`; in training,
            another sample replaces them.
        order: the training order; None keeps the order of ``names``.
        shown: masks that should not be empty; it warns once about each sample with an empty one.
    """

    def __init__(
        self,
        dataset: Readable,
        names: Sequence[str],
        *,
        batch_size: int,
        num_workers: int | Literal["auto"] = 0,
        device: torch.device = _CPU,
        skip_corrupt: bool = False,
        order: ShuffledOrder | None = None,
        shown: Sequence[str] = (),
    ) -> None:
        self._skip_corrupt = skip_corrupt
        self._shown = shown
        self._warned: set[str] = set()
        training = order is not None
        processes = loader_processes(num_workers, device, math.ceil(len(names) / batch_size))
        self._loader: DataLoader[_Loaded] = DataLoader(
            _Named(dataset, names, training and skip_corrupt),
            batch_size=batch_size,
            sampler=order,
            num_workers=processes,
            multiprocessing_context=loader_context() if processes else None,
            worker_init_fn=end_with_parent,
            collate_fn=_collate,
            pin_memory=torch.cuda.is_available(),
            persistent_workers=processes > 0,
            drop_last=training,
        )

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[Batch]:
        for batch, errors in self._loader:
            for error in errors:
                if not self._skip_corrupt:
                    raise error
                self._warn(f"skipped: {error}")
            if batch is not None:
                for name in self._shown:
                    self._warn_of_empty(batch, name)
                yield batch
            elif self._loader.drop_last:
                raise DataError("no training sample can be read; the warnings above say why")

    def _warn_of_empty(self, batch: Batch, mask: str) -> None:
        shows = batch[mask].flatten(1).any(dim=1).tolist()
        for name, visible in zip(batch.names, shows, strict=True):
            if not visible:
                self._warn(f"{name}: {mask} is black everywhere")

    def _warn(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            logger.warning("%s", message)
