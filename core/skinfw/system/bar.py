"""Progress on the terminal and in notebooks, the same for commands and Python."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

INTERVAL = 10.0
"""Minimum seconds between two lines about the progress in a file or pipe."""


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
    columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not show) as bar:
        task = bar.add_task(label, total=None)

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield update


class ProgressLines:
    """Prints how much is done on stderr, at most every `INTERVAL` seconds.

    Call it with the number of finished items and the total.

    Args:
        label: what is done.
        done: the number of items that were finished before.
    """

    def __init__(self, label: str, done: int = 0) -> None:
        self._label, self._before = label, done
        self._began = self._told = monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Print a line if the last one was long ago."""
        now = monotonic()
        if now - self._told < INTERVAL:
            return
        self._told = now
        passed = now - self._began
        line = f"{self._label} {done:,} of {total:,} after {duration_text(passed)}"
        if done > self._before:
            left = passed * (total - done) / (done - self._before)
            line += f", about {duration_text(left)} left"
        print_progress(line)


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
