"""One thread per model, with a bounded queue: jobs of one model run one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


class BusyError(Exception):
    """The queue of a worker is full."""


class StoppedError(Exception):
    """The server stops before the job is done."""


class ClientLeftError(Exception):
    """The client of a job has closed its connection."""


class Worker:
    """Runs jobs one after the other.

    Args:
        name: names its thread.
        waiting: jobs that may wait while one runs.
    """

    def __init__(self, name: str, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._limit = waiting + 1
        self._jobs: set[Future[Any]] = set()
        self._stops: set[asyncio.Future[None]] = set()

    @property
    def jobs(self) -> int:
        """The jobs that run or wait."""
        return len(self._jobs)

    async def run(self, job: Callable[[], ResultT], left: Callable[[], Awaitable[None]]) -> ResultT:
        """Run a job in the worker's thread.

        A waiting job whose client leaves is dropped. A running one is finished, and its result is dropped.

        Args:
            job: what to do.
            left: returns when the client has left.

        Raises:
            BusyError: too many jobs wait.
            ClientLeftError: the client left before the job was done.
            StoppedError: `stop` was called.
        """
        if self.jobs >= self._limit:
            raise BusyError
        loop = asyncio.get_running_loop()
        submitted = self._executor.submit(job)
        self._jobs.add(submitted)
        # the thread reports to the loop, which alone touches the set
        submitted.add_done_callback(lambda done: _call(loop, self._jobs.discard, done))
        watch: asyncio.Future[Any] = asyncio.ensure_future(left())
        waited: asyncio.Future[ResultT] = asyncio.wrap_future(submitted)
        stop: asyncio.Future[None] = loop.create_future()
        self._stops.add(stop)
        try:
            await asyncio.wait([waited, watch, stop], return_when=asyncio.FIRST_COMPLETED)
            if waited.done():
                return waited.result()
            raise StoppedError if stop.done() else ClientLeftError
        finally:
            self._stops.discard(stop)
            watch.cancel()
            if submitted.cancel():
                self._jobs.discard(submitted)
            waited.add_done_callback(lambda done: done.cancelled() or done.exception())

    def stop(self) -> None:
        """Let every `run` end now; call it in the event loop's thread."""
        for stop in self._stops:
            if not stop.done():
                stop.set_result(None)

    def close(self) -> None:
        """Drop the jobs that wait; the one that runs is finished."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def _call(loop: asyncio.AbstractEventLoop, function: Callable[[Any], None], value: object) -> None:
    with suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(function, value)
