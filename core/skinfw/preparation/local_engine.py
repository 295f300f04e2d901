"""The processes of prepare on this machine; a photo that kills one is rejected, and the others continue."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import cv2

from skinfw.errors import DataError, RunError
from skinfw.preparation.preparer import Parts, PhotoPreparer
from skinfw.preparation.report import Row
from skinfw.preparation.task import Task
from skinfw.system.processes import make_pool

_AHEAD = 4


class Workers:
    """Processes that prepare photos.

    A process that ends unexpectedly breaks its pool. The photos in progress are then tried one at a time to
    find the one responsible.

    Args:
        parts: the arguments of each process's preparer.
        count: number of processes.
    """

    def __init__(self, parts: Parts, count: int) -> None:
        self._parts = parts
        self._count = count
        self._pool: ProcessPoolExecutor | None = None

    def rows(self, tasks: Iterable[Task]) -> Iterator[Row]:
        """Yield the result for each photo, in order.

        Raises:
            SkinfwError: an error that affects every photo.
        """
        pending: deque[tuple[Task, Future[Row]]] = deque()
        for task in tasks:
            pending.append((task, self._submit(task)))
            if len(pending) >= _AHEAD * self._count:
                yield self._next(pending)
        while pending:
            yield self._next(pending)

    def _submit(self, task: Task) -> Future[Row]:
        if self._pool is None:
            self._pool = self._start(self._count)
        try:
            return self._pool.submit(_work, task)
        except BrokenProcessPool as error:
            lost: Future[Row] = Future()
            lost.set_exception(error)
            return lost

    def _next(self, pending: deque[tuple[Task, Future[Row]]]) -> Row:
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

    def _alone(self, task: Task) -> Future[Row]:
        """Prepare one photo alone, and report if the process ends again."""
        if self._pool is None:
            self._pool = self._start(1)
        future = self._pool.submit(_work, task)
        if not isinstance(future.exception(), BrokenProcessPool):
            return future
        self.close()
        detail = f"{task.entry.path}: the process that prepared it ended unexpectedly (out of memory?)"
        told: Future[Row] = Future()
        if self._parts.config.on_error == "fail":
            told.set_exception(DataError(detail))
        else:
            told.set_result(Row(task.entry.name, task.sample, "rejected", "component failed", detail))
        return told

    def _start(self, count: int) -> ProcessPoolExecutor:
        pool = make_pool(count, _start_worker, (self._parts,))
        try:
            pool.submit(_ready).result()
        except BrokenProcessPool as error:
            pool.shutdown()
            raise RunError(
                "the processes of prepare cannot start (out of memory?); run again with 1 worker to see why"
            ) from error
        return pool

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _is_lost(future: Future[Row]) -> bool:
    return future.cancelled() or isinstance(future.exception(), BrokenProcessPool)


_worker: PhotoPreparer | None = None


def _start_worker(parts: Parts) -> None:
    global _worker
    # the processes already share the cores
    os.environ["OMP_NUM_THREADS"] = "1"
    cv2.setNumThreads(1)
    os.chdir(parts.folder)  # a cluster starts its processes in another folder
    _worker = parts.build()
    torch = sys.modules.get("torch")
    if torch is not None:  # only if a component needs it
        torch.set_num_threads(1)


def _ready() -> None:
    """Do nothing, to show that a process has started."""


def _work(task: Task) -> Row:
    if _worker is None:
        raise RuntimeError("the worker was not started")
    return task.run(_worker)
