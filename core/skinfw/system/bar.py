"""Progress on the terminal and in notebooks, the same for commands and Python."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


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
        show: whether to show anything; a file or pipe gets nothing either.
    """
    console = progress_console()
    columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not (show and shows_bars(console))) as bar:
        task = bar.add_task(label, total=None)

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield update


def print_progress(line: str) -> None:
    """Print a line about the progress on stderr."""
    print(line, file=sys.stderr, flush=True)
