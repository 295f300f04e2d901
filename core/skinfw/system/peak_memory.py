"""How much memory some work takes."""

from __future__ import annotations

import gc
import threading
from collections.abc import Collection
from types import TracebackType
from typing import TYPE_CHECKING, Self

import psutil

from skinfw.system.memory import release_freed_memory

if TYPE_CHECKING:
    import torch

_INTERVAL = 0.002
"""Seconds between two looks at the memory of a process."""


class PeakMemory:
    """Measures by how much the memory in use grows at most in its with block.

    On a CUDA device, that is what torch allocates there. On the CPU, it is the resident memory of this
    process and of the processes that it starts meanwhile, seen every 2 ms. Memory that was freed before is
    given back first: work that only reused it would seem to take none.

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
            self._before = self._peak = _resident(me, others)
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
        done = False
        while not done:
            done = self._over.wait(_INTERVAL)  # once more after the end
            self._peak = max(self._peak, _resident(me, others))


def _resident(me: psutil.Process, others: Collection[int]) -> int:
    """Return the resident bytes of a process and its children besides some of them."""
    total: int = me.memory_info().rss
    for child in me.children(recursive=True):
        if child.pid not in others:
            try:
                total += child.memory_info().rss
            except psutil.Error:  # it ended
                continue
    return total
