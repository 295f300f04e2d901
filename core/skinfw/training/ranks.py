"""The processes of one run, its ranks: synchronizing, agreeing, and ending together."""

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
"""Parts of torch.distributed's messages, in lower case, when another process has ended."""


class Ranks:
    """The processes of a run; costs nothing with a single process.

    They communicate through a separate group without a timeout: the first process may evaluate or prepare for
    hours while the others wait. A process that ends closes its connections, which the others notice at
    once.

    Args:
        accelerator: connects to the processes.
    """

    def __init__(self, accelerator: Accelerator) -> None:
        self.is_main = accelerator.is_main_process
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
            raise RunError(
                "another process of this run has ended, so this one ends too; see its message for the reason"
            ) from error
