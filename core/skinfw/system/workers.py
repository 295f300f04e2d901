"""Working on photos in this process, in others, or on a cluster.

A photo that kills its process is lost, and the others continue.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar

import cv2

from skinfw.errors import DataError, RunError, SkinfwError
from skinfw.system.processes import cores, make_pool

RowT = TypeVar("RowT")
RowT_co = TypeVar("RowT_co", covariant=True)

Engine = Literal["local", "ray"]
"""Where photos are worked on: this machine, or a Ray cluster whose nodes share the folders."""

_AHEAD = 4


class Task(Protocol[RowT_co]):
    """One photo."""

    def run(self, worker: Any) -> RowT_co:
        """Return the result for the photo; ``worker`` is what `Work.build` returned in this process."""
        ...


class Work(Protocol[RowT_co]):
    """The picklable description of what the processes do."""

    @property
    def folder(self) -> Path:
        """Base of relative paths: the folder where the command was started."""
        ...

    def build(self) -> object:
        """Build what the tasks of a process need; called once in each process."""
        ...

    def lost(self, task: Any) -> RowT_co:
        """Return the result for a task whose process ended unexpectedly.

        Raises:
            DataError: the settings stop at errors.
        """
        ...


def work_on(
    work: Work[RowT],
    tasks: Sequence[Task[RowT]],
    worker: object,
    num_workers: int | None,
    *,
    engine: Engine = "local",
    address: str | None = None,
) -> Iterator[RowT]:
    """Yield the result for each photo, in order.

    Args:
        work: what is done.
        tasks: the photos.
        worker: what `Work.build` returned in this process, which does it all if it is the only one.
        num_workers: processes; None: one per core.
        engine: where they run.
        address: the Ray cluster, see `skinfw.system.ray_cluster.join_cluster`.

    Raises:
        SkinfwError: an error that affects every photo.
    """
    if engine == "ray":
        from skinfw.system.ray_workers import rows_from_ray

        yield from rows_from_ray(work, tasks, num_workers, address)
        return
    count = min(num_workers or cores(), len(tasks))
    if count <= 1:
        yield from (task.run(worker) for task in tasks)
        return
    pool = Workers(work, count)
    try:
        yield from pool.rows(tasks)
    finally:
        pool.close()


class Workers(Generic[RowT]):
    """Processes that work on photos.

    A process that ends unexpectedly breaks its pool. The photos in progress are then tried one at a time to
    find the one responsible.

    Args:
        work: what each process does.
        count: number of processes.
    """

    def __init__(self, work: Work[RowT], count: int) -> None:
        self._work = work
        self._count = count
        self._pool: ProcessPoolExecutor | None = None

    def rows(self, tasks: Iterable[Task[RowT]]) -> Iterator[RowT]:
        """Yield the result for each photo, in order.

        Raises:
            SkinfwError: an error that affects every photo.
        """
        pending: deque[tuple[Task[RowT], Future[RowT]]] = deque()
        for task in tasks:
            pending.append((task, self._submit(task)))
            if len(pending) >= _AHEAD * self._count:
                yield self._next(pending)
        while pending:
            yield self._next(pending)

    def _submit(self, task: Task[RowT]) -> Future[RowT]:
        if self._pool is None:
            self._pool = self._start(self._count)
        try:
            return self._pool.submit(_run, task)
        except BrokenProcessPool as error:
            lost: Future[RowT] = Future()
            lost.set_exception(error)
            return lost

    def _next(self, pending: deque[tuple[Task[RowT], Future[RowT]]]) -> RowT:
        """Return the row of the oldest task."""
        task, future = pending.popleft()
        try:
            return future.result()
        except BrokenProcessPool:
            self.close()
        tried = [(task, future), *pending]
        pending.clear()
        pending.extend((one, self._alone(one) if _is_lost(done) else done) for one, done in tried)
        self.close()
        return pending.popleft()[1].result()

    def _alone(self, task: Task[RowT]) -> Future[RowT]:
        """Work on one photo alone, and report if the process ends again."""
        if self._pool is None:
            self._pool = self._start(1)
        future = self._pool.submit(_run, task)
        if not isinstance(future.exception(), BrokenProcessPool):
            return future
        self.close()
        answered: Future[RowT] = Future()
        try:
            answered.set_result(self._work.lost(task))
        except DataError as error:
            answered.set_exception(error)
        return answered

    def _start(self, count: int) -> ProcessPoolExecutor:
        pool = make_pool(count, _start_worker, (self._work,))
        try:
            pool.submit(_ready).result()
        except BrokenProcessPool as error:
            pool.shutdown()
            raise RunError(
                "the processes cannot start (out of memory?); run again with 1 worker to see why"
            ) from error
        except SkinfwError:
            pool.shutdown()
            raise
        return pool

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _is_lost(future: Future[RowT]) -> bool:
    return future.cancelled() or isinstance(future.exception(), BrokenProcessPool)


_worker: object | SkinfwError | None = None
"""What the tasks of this process need, or why it could not be built."""


def _start_worker(work: Work[Any]) -> None:
    global _worker
    # the processes already share the cores
    os.environ["OMP_NUM_THREADS"] = "1"
    cv2.setNumThreads(1)
    os.chdir(work.folder)  # a cluster starts its processes in another folder
    try:
        _worker = work.build()
    except SkinfwError as error:  # raised here, it would only break the pool
        _worker = error
    torch = sys.modules.get("torch")
    if torch is not None:  # only if a component needs it
        torch.set_num_threads(1)


def _ready() -> None:
    """Show that a process has started.

    Raises:
        SkinfwError: what its tasks need cannot be built.
    """
    if isinstance(_worker, SkinfwError):
        raise _worker


def _run(task: Task[RowT]) -> RowT:
    _ready()
    if _worker is None:
        raise RuntimeError("the worker was not started")
    return task.run(_worker)
