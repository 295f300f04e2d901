"""Tables on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from skinfw.evaluation.metric_tables import Table
from skinfw.evaluation.table_text import BEST, PLAIN_WIDTH, print_on
from skinfw.evaluation.table_text import shown as shown


def print_table(table: Table, title: str | None = None, best: str = BEST) -> None:
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
    print_on(console, table, plain=not console.is_terminal, best=best)
