"""Tables on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from skinfw.evaluation.metric_tables import Table
from skinfw.evaluation.table_text import print_on
from skinfw.evaluation.table_text import shown as shown


def print_table(table: Table, title: str | None = None, best: str | None = None) -> None:
    """Print a table as wide as the terminal: ``COLUMNS``, or 80 columns in a file or pipe.

    The best values are bold on a terminal and marked with ``*`` elsewhere.

    Args:
        table: the table.
        title: the line above it.
        best: what a marked value is, for the line below it; see `skinfw.evaluation.table_text.print_on`.
    """
    console = Console()
    plain = not console.is_terminal or console.color_system is None
    if title is not None:  # the table's own title would wrap at the table's width
        console.print(f"[italic]{escape(title)}[/]", highlight=False, soft_wrap=True)
    print_on(console, table, plain=plain, best=best)
