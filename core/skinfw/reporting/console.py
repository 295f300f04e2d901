"""Tables on the terminal and as text."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from skinfw.reporting.figures import Table

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
    drawn.add_column(table.corner, overflow="fold")
    for column in table.columns:
        drawn.add_column(escape(column), justify="right", overflow="fold")
    for name, cells in table.rows:
        drawn.add_row(
            escape(name),
            *(_marked(cell.text, cell.best, plain=not console.is_terminal) for cell in cells),
        )
    console.print(drawn)


def _marked(text: str, best: bool, *, plain: bool) -> str:
    if not best:
        return escape(text)
    return f"{escape(text)}*" if plain else f"[bold green]{escape(text)}[/]"
