"""Tables on the terminal and as text."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from skinfw.errors import message
from skinfw.evaluation.metric_tables import Table

PLAIN_WIDTH = 400
"""Width of output to a file or pipe, in which no table line wraps."""


def print_table(table: Table, title: str | None = None, best: str = "the best of its column") -> None:
    """Print a table; the best values are bold on a terminal and marked with ``*`` elsewhere.

    Args:
        table: the table.
        title: the line above it.
        best: what a marked value is, for the line below it.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_WIDTH)
    if title is not None:  # the table's own title would wrap at the table's width
        console.print(f"[italic]{escape(title)}[/]", highlight=False, soft_wrap=True)
    drawn = RichTable()
    drawn.add_column(shown(table.corner), overflow="fold")
    for column in table.columns:
        drawn.add_column(shown(column), justify="right", overflow="fold")
    for name, cells in table.rows:
        drawn.add_row(
            shown(name),
            *(_marked(cell.text, cell.best, plain=not console.is_terminal) for cell in cells),
        )
    console.print(drawn)
    if any(cell.best for _, cells in table.rows for cell in cells):
        mark = "bold" if console.is_terminal else "*"
        console.print(f"{mark}: {escape(best)}", highlight=False, soft_wrap=True)


def _marked(text: str, best: bool, *, plain: bool) -> str:
    if not best:
        return shown(text)
    return f"{shown(text)}*" if plain else f"[bold green]{shown(text)}[/]"


def shown(text: str) -> str:
    """Return a text for a cell without control characters, which untrusted files may contain."""
    return escape(message(text))
