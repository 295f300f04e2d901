"""The processes of a run as threads of one process, which costs no imports."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any


class Threads:
    """The processes of a run, as threads."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.barrier = Barrier(count, timeout=300)
        self.values: list[Any] = [None] * count

    def run(self, work: Callable[[Any], Any]) -> list[Any]:
        """Return what each has returned, or the error that it has raised."""

        def one(index: int) -> Any:
            try:
                return work(One(self, index))
            except Exception as error:
                return error

        with ThreadPoolExecutor(self.count) as pool:
            return list(pool.map(one, range(self.count)))


class One:
    def __init__(self, threads: Threads, index: int) -> None:
        self.threads, self.index, self.count = threads, index, threads.count

    def exchange(self, value: Any) -> list[Any]:
        self.threads.values[self.index] = value
        self.threads.barrier.wait()
        found = list(self.threads.values)
        self.threads.barrier.wait()
        return found

    def collect(self, value: Any) -> list[Any]:
        found = self.exchange(value)
        return found if self.index == 0 else []

    def from_first(self, value: Any) -> Any:
        return self.exchange(value)[0]
