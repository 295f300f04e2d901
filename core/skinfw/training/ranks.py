"""The processes of one run, its ranks: waiting for each other, agreeing, and ending together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from accelerate import Accelerator

from skinfw.errors import RunError

_NO_LIMIT = timedelta(days=365)

_LOST = ("connection closed by peer", "connection reset by peer", "gloo", "nccl", "remote process exited")
"""What the messages of torch.distributed say, in small letters, when another process has gone."""


class Ranks:
    """The processes of a run; alone, all of this costs nothing.

    They talk through a group of their own without a time-out: the first process may measure or prepare for
    hours while the others wait. One that ends closes its connections, which the others see at once.

    Args:
        accelerator: knows the processes.
    """

    def __init__(self, accelerator: Accelerator) -> None:
        self.is_main = accelerator.is_main_process
        together = accelerator.num_processes > 1 and dist.is_available() and dist.is_initialized()
        self._group: Any = dist.new_group(backend="gloo", timeout=_NO_LIMIT) if together else None

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self._group is not None:
            dist.barrier(group=self._group)

    def any(self, flag: bool) -> bool:
        """Return whether the flag is set in any process; all must ask."""
        if self._group is None:
            return flag
        flags = torch.tensor([int(flag)])
        dist.all_reduce(flags, dist.ReduceOp.MAX, group=self._group)
        return bool(flags.item())

    @contextmanager
    def together(self) -> Iterator[None]:
        """Say in one sentence that another process has ended, where this one cannot go on without it.

        Raises:
            RunError: another process has ended.
        """
        try:
            yield
        except RuntimeError as error:
            if self._group is None or not any(words in str(error).lower() for words in _LOST):
                raise
            raise RunError(
                "another process of this run has ended, so this one ends too; its own message says why"
            ) from error
