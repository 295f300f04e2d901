"""Tables as text and for notebooks, drawn in one way everywhere."""

from __future__ import annotations

from io import StringIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from skinfw.errors import message
from skinfw.evaluation.metric_tables import Table

PLAIN_WIDTH = 400
"""Width of output to a file, pipe or notebook, in which no table line wraps."""

_HTML = '<pre style="overflow-x: auto; line-height: 1.2">{code}</pre>'


BEST = "the best of its column"
"""What a marked value is."""


def print_on(console: Console, table: Table, *, plain: bool, best: str = BEST) -> None:
    """Print a table on a console.

    Args:
        console: the console.
        table: the table.
        plain: mark the best values with ``*``; otherwise they are bold.
        best: what a marked value is, for the line below the table.
    """
    drawn = RichTable()
    drawn.add_column(shown(table.corner), overflow="fold")
    for column in table.columns:
        drawn.add_column(shown(column), justify="right", overflow="fold")
    for name, cells in table.rows:
        drawn.add_row(shown(name), *(_marked(cell.text, cell.best, plain=plain) for cell in cells))
    console.print(drawn)
    if any(cell.best for _, cells in table.rows for cell in cells):
        console.print(f"{'*' if plain else 'bold'}: {escape(best)}", highlight=False, soft_wrap=True)


def table_text(table: Table) -> str:
    """Return a table as plain text."""
    console = Console(file=StringIO(), width=PLAIN_WIDTH, force_jupyter=False)
    with console.capture() as captured:
        print_on(console, table, plain=True)
    return captured.get().rstrip("\n")


def table_html(table: Table) -> str:
    """Return a table as HTML, for notebooks."""
    console = Console(
        file=StringIO(), width=PLAIN_WIDTH, record=True, force_terminal=True, force_jupyter=False
    )
    print_on(console, table, plain=False)
    return console.export_html(inline_styles=True, code_format=_HTML)


def _marked(text: str, best: bool, *, plain: bool) -> str:
    if not best:
        return shown(text)
    return f"{shown(text)}*" if plain else f"[bold green]{shown(text)}[/]"


def shown(text: str) -> str:
    """Return a text for a cell without control characters, which untrusted files may contain."""
    return escape(message(text))
