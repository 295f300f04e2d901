"""Tables on the terminal and as text."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from skinfw.errors import message
from skinfw.evaluation.metric_tables import Table

PLAIN_WIDTH = 400
"""Columns of output that goes to a file or a pipe: no line of a table is broken there."""


def print_table(table: Table, title: str | None = None) -> None:
    """Print a table; the best figures are bold on a terminal and marked by ``*`` elsewhere."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_WIDTH)
    if title is not None:  # a title of the table itself would be broken to the table's width
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


def _marked(text: str, best: bool, *, plain: bool) -> str:
    if not best:
        return shown(text)
    return f"{shown(text)}*" if plain else f"[bold green]{shown(text)}[/]"


def shown(text: str) -> str:
    """Return a text for a cell: what a stranger's file says cannot steer the terminal."""
    return escape(message(text))
