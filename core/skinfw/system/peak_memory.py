"""How much memory some work takes."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

import psutil

from skinfw.system.memory import release_freed_memory

if TYPE_CHECKING:
    import torch

_INTERVAL = 0.002
"""Seconds between two looks at the memory of the processes."""

_LISTING = 0.1
"""Seconds between two lists of the processes, which take longer than a look."""


class PeakMemory:
    """Measures by how much the memory in use grows at most in its with block.

    On a CUDA device, that is what torch allocates there. On the CPU, it is the resident memory of this
    process and of the processes that it starts meanwhile, seen at short intervals: a process that ends soon
    may be missed. Memory that was freed before is given back first: work that only reused it would seem to
    take none.

    Args:
        device: where the work is done.

    Attributes:
        grown: bytes after the with block; None for a device whose memory is not measured.
    """

    def __init__(self, device: torch.device) -> None:
        self.grown: int | None = None
        self._device = device
        self._over = threading.Event()
        self._watcher: threading.Thread | None = None
        self._before = self._peak = 0

    def __enter__(self) -> Self:
        if self._device.type == "cuda":
            import torch

            torch.cuda.reset_peak_memory_stats(self._device)
            self._before = torch.cuda.memory_allocated(self._device)
        elif self._device.type == "cpu":
            gc.collect()
            release_freed_memory()
            me = psutil.Process()
            others = {each.pid for each in me.children(recursive=True)}
            self._before = self._peak = _resident([me])
            self._watcher = threading.Thread(target=self._watch, args=(me, others), daemon=True)
            self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._device.type == "cuda":
            import torch

            torch.accelerator.synchronize(self._device)
            self.grown = torch.cuda.max_memory_allocated(self._device) - self._before
        elif self._watcher is not None:
            self._over.set()
            self._watcher.join()
            self.grown = self._peak - self._before

    def _watch(self, me: psutil.Process, others: Collection[int]) -> None:
        done, processes, listed = False, [me], time.monotonic()
        while not done:
            done = self._over.wait(_INTERVAL)  # once more after the end
            if done or time.monotonic() - listed > _LISTING:
                processes = [me, *(each for each in me.children(recursive=True) if each.pid not in others)]
                listed = time.monotonic()
            self._peak = max(self._peak, _resident(processes))


def _resident(processes: Iterable[psutil.Process]) -> int:
    """Return the resident bytes of processes; those that ended have none."""
    total = 0
    for process in processes:
        with suppress(psutil.Error):
            total += process.memory_info().rss
    return total
