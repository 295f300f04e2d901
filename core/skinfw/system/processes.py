"""The only place where skinfw starts processes. Light: imports nothing heavy.

A process started here never runs the user's script again, so scripts need no ``if __name__ ==
"__main__"``. It leaves Ctrl-C to its parent and ends with it, however the parent ends. It imports nothing
from the current folder, which may contain somebody else's files, unless the parent does.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.context import BaseContext, SpawnContext, SpawnProcess
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from skinfw.errors import RunError

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

CHUNK = 16
"""Items that a process gets at a time; with fewer than twice as many, no process is started."""


def make_pool(
    count: int, initializer: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
) -> ProcessPoolExecutor:
    """Return a pool of processes.

    Args:
        count: number of processes.
        initializer: a module-level function, called in each process before anything else.
        arguments: its arguments.
    """
    with _safe_path():  # locks also start a process, which tracks them
        return ProcessPoolExecutor(
            count, mp_context=_FreshContext(), initializer=_begin, initargs=(initializer, arguments)
        )


def spread(
    work: Callable[[ItemT], ResultT], items: Sequence[ItemT], num_workers: int | None
) -> Iterator[ResultT]:
    """Yield the result of ``work`` for each item, in order.

    Args:
        work: a module-level function or a partial of one, so that it can be pickled.
        items: the arguments.
        num_workers: processes; None: one per usable core.

    Raises:
        RunError: a process ended unexpectedly.
    """
    processes = min(num_workers or cores(), len(items) // CHUNK)
    if processes <= 1:
        yield from map(work, items)
        return
    try:
        with make_pool(processes, _one_thread) as pool:
            yield from pool.map(work, items, chunksize=CHUNK)
    except BrokenProcessPool as error:
        raise RunError(
            "a process ended unexpectedly (out of memory?); run again with 1 worker to see why"
        ) from error


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def is_worker() -> bool:
    """Return whether this process belongs to a pool of `make_pool`."""
    return _worker


def imports_from_here() -> bool:
    """Return whether this process imports from the current folder, as ``python -m`` does."""
    return any(not entry or Path(entry).absolute() == Path.cwd() for entry in sys.path)


def loader_context() -> BaseContext | None:
    """Return the context in which a data loader starts processes; None: the system's, a copy of this one."""
    method = multiprocessing.get_start_method(allow_none=True) or multiprocessing.get_all_start_methods()[0]
    return None if method == "fork" else _FreshContext()


def end_with_parent(*_: Any) -> None:
    """End this process, started through `multiprocessing`, as soon as its parent has ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        _end_after(parent.join)


def end_with_input() -> None:
    """End this process when its standard input is closed, as when its parent ends."""
    # os.read: a thread waiting in sys.stdin would hold its lock when Python exits
    _end_after(lambda: os.read(0, 1))


def _end_after(wait: Callable[[], Any]) -> None:
    def watch() -> None:
        wait()
        os._exit(1)  # without any cleanup

    threading.Thread(target=watch, name="end with parent", daemon=True).start()


class _FreshProcess(SpawnProcess):
    """A process that does not run the user's script."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802  # multiprocessing's name
        with _script_hidden(), _safe_path():
            return SpawnProcess._Popen(process_obj)


class _FreshContext(SpawnContext):
    """Starts new interpreters: a fork of a process with threads may hang, and copies its memory."""

    Process = _FreshProcess


_SAFE_PATH = "PYTHONSAFEPATH"
_SET_BY_US = "skinfw"


@contextmanager
def _safe_path() -> Iterator[None]:
    """Keep Python processes that start meanwhile from importing from the current folder.

    multiprocessing starts them with ``python -c``, which looks there first, even for the standard library.
    """
    if _SAFE_PATH in os.environ or imports_from_here():
        yield
        return
    os.environ[_SAFE_PATH] = _SET_BY_US
    try:
        yield
    finally:
        os.environ.pop(_SAFE_PATH, None)


@contextmanager
def _script_hidden() -> Iterator[None]:
    """Hide the script, which multiprocessing would run again in a new process."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


_worker = False


def _begin(initializer: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    global _worker
    _worker = True
    if os.environ.get(_SAFE_PATH) == _SET_BY_US:  # scripts that this process may start keep their own folder
        del os.environ[_SAFE_PATH]
    # Ctrl-C reaches all processes of a terminal; the parent ends this one
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    if initializer is not None:
        initializer(*arguments)


def _one_thread() -> None:
    """Use one thread: the processes share the cores, and more threads would only compete."""
    import cv2

    cv2.setNumThreads(1)
