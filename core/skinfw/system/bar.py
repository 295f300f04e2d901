"""Progress on the terminal and in notebooks, the same for commands and Python."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

INTERVAL = 10.0
"""Minimum seconds between two lines about the progress in a file or pipe."""

MIN_UPDATES = 2
"""Minimum number of updates that an estimate of the remaining time is made from."""

MIN_SECONDS = 2.0
"""Minimum seconds that an estimate of the remaining time is made from."""

LEFT_COLUMN = "{task.fields[left]}"
"""Column of a bar with the text of `TimeLeft`, in the field ``left``."""


def progress_console() -> Console:
    """Return the console for progress: stderr, or the notebook."""
    return Console(stderr=True)


def shows_bars(console: Console) -> bool:
    """Return whether a console can redraw a bar; a file or pipe cannot."""
    return console.is_terminal or console.is_jupyter


@contextmanager
def progress_bar(label: str, *, show: bool = True) -> Iterator[Callable[[int, int], None]]:
    """Show a bar; call the yielded function with the number of finished items and the total.

    Args:
        label: what is done.
        show: whether to show anything. A file or pipe gets a line now and then; see `ProgressLines`.
    """
    console = progress_console()
    if show and not shows_bars(console):
        yield ProgressLines(label)
        return
    columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TextColumn(LEFT_COLUMN))
    left = TimeLeft()
    with Progress(*columns, console=console, disable=not show) as bar:
        task = bar.add_task(label, total=None, left="")

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, left=left.text(done, total))

        yield update


class TimeLeft:
    """Estimates the remaining time from the more recent half of the time since this object was made.

    The first items include what is loaded for them, so they do not count, and neither do items that were
    finished before. It estimates nothing until `MIN_UPDATES` and `MIN_SECONDS` have passed since. If the
    number of finished items falls, it starts again.
    """

    def __init__(self) -> None:
        self._start(0)

    def _start(self, done: int) -> None:
        self._began = monotonic()
        self._updates, self._done = 0, done
        # updates, finished items and the time, twice: each mark is at least twice as late as the one before
        self._earlier: tuple[int, int, float] | None = None
        self._later: tuple[int, int, float] | None = None

    def text(self, done: int, total: int) -> str:
        """Note that items were finished; return ``about 0:01:30 left``, or an empty text."""
        if done < self._done:
            self._start(done)
        now = monotonic()
        if done > self._done:
            self._updates, self._done = self._updates + 1, done
            if self._later is None or now - self._began >= 2 * (self._later[2] - self._began):
                self._earlier, self._later = self._later, (self._updates, done, now)
        updates, before, since = self._earlier or self._later or (self._updates, done, now)
        if done >= total or self._updates - updates < MIN_UPDATES or now - since < MIN_SECONDS:
            return ""
        return f"about {duration_text((now - since) * (total - done) / (done - before))} left"


class ProgressLines:
    """Prints how much is done on stderr, at most every `INTERVAL` seconds.

    Call it with the number of finished items and the total.

    Args:
        label: what is done.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._began = self._told = monotonic()
        self._left = TimeLeft()

    def __call__(self, done: int, total: int) -> None:
        """Print a line if the last one was long ago."""
        now, left = monotonic(), self._left.text(done, total)
        if now - self._told < INTERVAL:
            return
        self._told = now
        line = f"{self._label} {done:,} of {total:,} after {duration_text(now - self._began)}"
        print_progress(", ".join(filter(None, [line, left])))


def duration_text(seconds: float) -> str:
    """Return seconds as hours, minutes and seconds.

    Example:
        >>> duration_text(90)
        '0:01:30'
    """
    return str(timedelta(seconds=round(seconds)))


def print_progress(line: str) -> None:
    """Print a line about the progress on stderr; if nobody can read it, the work goes on."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)
