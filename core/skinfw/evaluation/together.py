"""An evaluation that the processes of a run share out: each measures a part of the samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from skinfw.errors import RunError, SkinfwError

ENDED = "another process of this run has ended, so this one ends too; see its message for the reason"
"""The message of a process that cannot continue without another one."""

ValueT = TypeVar("ValueT")
PartT = TypeVar("PartT")


class Together(Protocol):
    """The processes of a run, as one of them sees them.

    Attributes:
        index: the number of this process; 0 collects the results.
        count: the number of processes.
    """

    @property
    def index(self) -> int: ...  # noqa: D102

    @property
    def count(self) -> int: ...  # noqa: D102

    def collect(self, value: ValueT) -> list[ValueT]:
        """Return the value of each process in process 0, in their order; nothing in the others."""

    def exchange(self, value: ValueT) -> list[ValueT]:
        """Return the value of each process in all of them, in their order."""

    def from_first(self, value: ValueT) -> ValueT:
        """Return the value that process 0 gives, in all of them."""


class Alone:
    """One process that does everything itself."""

    index, count = 0, 1

    def collect(self, value: ValueT) -> list[ValueT]:
        """Return the only value."""
        return [value]

    def exchange(self, value: ValueT) -> list[ValueT]:
        """Return the only value."""
        return [value]

    def from_first(self, value: ValueT) -> ValueT:
        """Return the value."""
        return value


ALONE = Alone()


def own_part(names: Sequence[str], batch_size: int, processes: Together) -> Sequence[str]:
    """Return the samples that this process measures: successive whole batches, the same as in one process.

    Example:
        >>> own_part(["a", "b", "c", "d", "e"], 2, ALONE)
        ['a', 'b', 'c', 'd', 'e']
    """
    batches = math.ceil(len(names) / batch_size)
    first, last = (
        math.ceil(batches * each / processes.count) for each in (processes.index, processes.index + 1)
    )
    return names[first * batch_size : last * batch_size]


def in_parts(measure: Callable[[], PartT], processes: Together) -> PartT:
    """Measure this process's part; if that fails in any process, it fails in all.

    Args:
        measure: measures it.
        processes: the processes, which all call this.

    Raises:
        SkinfwError: that of the first process that failed, in process 0.
        RunError: another process failed, elsewhere.
    """
    found: PartT | None = None
    failed: SkinfwError | None = None
    try:
        found = measure()
    except SkinfwError as error:
        failed = error
    reject_together(failed, processes)
    assert found is not None
    return found


def reject_together(failed: SkinfwError | None, processes: Together) -> None:
    """Raise an error if there is one in any process; see `in_parts`."""
    if processes.count == 1:
        if failed is not None:
            raise failed
        return
    errors = [error for error in processes.exchange(failed) if error is not None]
    if errors:
        raise errors[0] if processes.index == 0 else RunError(ENDED)
