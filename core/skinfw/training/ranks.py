"""The processes of one run, its ranks: synchronizing, agreeing, and ending together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from accelerate import Accelerator
from torch import nn

from skinfw.errors import RunError
from skinfw.evaluation.together import ENDED, ValueT
from skinfw.training.micro_batches import Buffers

_NO_LIMIT = timedelta(days=365)

_LOST = ("connection closed by peer", "connection reset by peer", "gloo", "nccl", "remote process exited")
"""Parts of torch.distributed's messages, in lower case, when another process has ended."""


class Ranks:
    """The processes of a run; costs nothing with a single process.

    They communicate through a separate group without a timeout: the first process may evaluate or prepare for
    hours while the others wait. A process that ends closes its connections, which the others notice at
    once.

    Args:
        accelerator: connects to the processes.

    Attributes:
        is_main: whether this process is the first one, which evaluates and writes.
        index: the number of this process.
        count: the number of processes.
    """

    def __init__(self, accelerator: Accelerator) -> None:
        self.is_main = accelerator.is_main_process
        self.index, self.count = accelerator.process_index, accelerator.num_processes
        together = accelerator.num_processes > 1 and dist.is_available() and dist.is_initialized()
        self._group: Any = dist.new_group(backend="gloo", timeout=_NO_LIMIT) if together else None

    def wait(self) -> None:
        """Wait for all processes."""
        if self._group is not None:
            dist.barrier(group=self._group)

    def any(self, flag: bool) -> bool:
        """Return whether the flag is set in any process; all processes must call it."""
        if self._group is None:
            return flag
        flags = torch.tensor([int(flag)])
        dist.all_reduce(flags, dist.ReduceOp.MAX, group=self._group)
        return bool(flags.item())

    def collect(self, value: ValueT) -> list[ValueT]:
        """Return the value of each process in the first one; nothing in the others."""
        if self._group is None:
            return [value]
        found: list[Any] = [None] * self.count
        dist.gather_object(value, found if self.is_main else None, group=self._group)
        return found if self.is_main else []

    def exchange(self, value: ValueT) -> list[ValueT]:
        """Return the value of each process in all of them."""
        if self._group is None:
            return [value]
        found: list[Any] = [None] * self.count
        dist.all_gather_object(found, value, group=self._group)
        return found

    def from_first(self, value: ValueT) -> ValueT:
        """Return the value that the first process gives, in all of them."""
        shared: list[Any] = [value]
        if self._group is not None:
            dist.broadcast_object_list(shared, group=self._group)
        found: ValueT = shared[0]
        return found

    @contextmanager
    def same_buffers(self, network: nn.Module) -> Iterator[None]:
        """Give a network the first process's buffers in the with block: elsewhere, each has its own ones."""
        if self._group is None:
            yield
            return
        own = Buffers(network)
        for buffer in network.buffers():
            value = buffer.cpu()
            dist.broadcast(value, 0, group=self._group)
            buffer.copy_(value)
        try:
            yield
        finally:
            own.restore()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Report in one sentence that another process has ended, if this one cannot continue without it.

        Raises:
            RunError: another process has ended.
        """
        try:
            yield
        except RuntimeError as error:
            if self._group is None or not any(words in str(error).lower() for words in _LOST):
                raise
            raise RunError(ENDED) from error
