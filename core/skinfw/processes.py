"""Spreading the same work over many items among processes. Light: imports nothing heavy."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from skinfw.errors import RunError

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

CHUNK = 16
"""Items that a process gets at a time; for fewer than two of these no process is started."""


def spread(
    work: Callable[[ItemT], ResultT], items: Sequence[ItemT], workers: int | None
) -> Iterator[ResultT]:
    """Yield what ``work`` gives for each item, in their order.

    Args:
        work: can be pickled: a function of a module, or a partial of one.
        items: what to work on.
        workers: processes; None: one for each core that may be used.

    Raises:
        RunError: a process ended unexpectedly.
    """
    processes = min(workers or cores(), len(items) // CHUNK)
    if processes <= 1:
        yield from map(work, items)
        return
    # spawn: a forked copy of a process with threads may hang
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(processes, mp_context=context, initializer=_one_thread) as pool:
            yield from pool.map(work, items, chunksize=CHUNK)
    except BrokenProcessPool as error:
        raise RunError(
            "a process ended unexpectedly: out of memory, or started from a script without "
            "if __name__ == '__main__'; run again with 1 worker to see why"
        ) from error


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _one_thread() -> None:
    """The processes share the cores: more threads in each would only get in each other's way."""
    import cv2

    cv2.setNumThreads(1)
