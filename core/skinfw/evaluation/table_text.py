"""Tables as text and for notebooks, drawn in one way everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from skinfw.errors import message
from skinfw.evaluation.metric_tables import UNRANKED, UNRANKED_NOTE, Cell, Table

_NOTEBOOK_WIDTH = 400
"""Width of output to a notebook, which scrolls."""

_HTML = '<pre style="overflow-x: auto; line-height: 1.2">{code}</pre>'


_FOLD = 20
"""Cells and names of columns that are wider than this may be folded in tables that are too wide.

Names are folded between words, which stay whole, and so do numbers.
"""


def print_on(console: Console, table: Table, *, plain: bool, best: str | None = None) -> None:
    """Print a table on a console, no wider than the console if names and numbers allow it.

    Args:
        console: the console.
        table: the table.
        plain: mark the best values with ``*``; otherwise they are bold.
        best: what a marked value is, for the line below the table; by default the best of its column, or of
            its row in a transposed table.
    """
    drawn, lying = fitted(table, console.width)
    for part in drawn:
        # a terminal folds names too; a pipe gets them whole
        width = max(console.width, sum(_widths(part, _FOLD))) if plain else console.width
        console.print(_rich(part, plain=plain), width=width, crop=False)
    notes = []
    if any(cell.best for cell in _cells(table)):
        what = best or f"the best of its {'row' if lying else 'column'}, however small its lead"
        notes.append(f"{'*' if plain else 'bold'}: {what}")
    if any(cell.text.endswith(UNRANKED) for cell in _cells(table)):
        notes.append(UNRANKED_NOTE)
    for note in notes:
        console.print(escape(note), highlight=False, soft_wrap=True)


def fitted(table: Table, width: int) -> tuple[list[Table], bool]:
    """Return a table in parts that fit a width where possible, and whether they are transposed.

    A table that is too wide is transposed, its long cells and column names are folded, or it is split into
    parts.

    Example:
        >>> wide = Table("run", ["image PSNR", "skin PSNR"], [("one", [Cell("30.0"), Cell("17.0")])])
        >>> [part.columns for part in fitted(wide, 24)[0]]
        [['one']]
    """
    lying = transposed(table)
    for fold in (None, _FOLD):
        for each, exchanged in ((table, False), (lying, True)):
            if sum(_widths(each, fold)) <= width:
                return [each], exchanged
    parts, others = list(_parts(table, width)), list(_parts(lying, width))
    return (parts, False) if len(parts) <= len(others) else (others, True)


def transposed(table: Table) -> Table:
    """Return a table with rows and columns exchanged."""
    rows = [(column, [cells[place] for _, cells in table.rows]) for place, column in enumerate(table.columns)]
    return Table("", [name for name, _ in table.rows], rows)


def _parts(table: Table, width: int) -> Iterator[Table]:
    """Split a table into groups of columns that fit a width, each with at least one column."""
    first = 0
    while first < len(table.columns):
        last = first + 1
        while last < len(table.columns) and sum(_widths(_columns(table, first, last + 1), _FOLD)) <= width:
            last += 1
        yield _columns(table, first, last)
        first = last


def _columns(table: Table, first: int, last: int) -> Table:
    rows = [(name, cells[first:last]) for name, cells in table.rows]
    return Table(table.corner, table.columns[first:last], rows)


def _widths(table: Table, fold: int | None) -> list[int]:
    """Return the width of each column with its border, and of the last border.

    With ``fold``, cells are folded at that width, and the names of columns between words.
    """
    widths = [max(map(_length, [table.corner, *(name for name, _ in table.rows)]))]
    for place, column in enumerate(table.columns):
        texts = [f"{cells[place].text}{'*' if cells[place].best else ''}" for _, cells in table.rows]
        longest = max(map(_length, texts), default=0)
        if fold is None:
            widths.append(max(_length(column), longest))
        else:
            word = max(map(_length, column.split()), default=0)
            widths.append(max(word, min(fold, max(_length(column), longest))))
    return [*(3 + each for each in widths), 1]


def _length(text: str) -> int:
    return cell_len(message(text))


def _cells(table: Table) -> Iterator[Cell]:
    return (cell for _, cells in table.rows for cell in cells)


def _rich(table: Table, *, plain: bool) -> RichTable:
    drawn = RichTable()
    names = [table.corner, *table.columns]
    for place, (name, width) in enumerate(zip(names, _widths(table, _FOLD)[:-1], strict=True)):
        drawn.add_column(
            shown(name),
            justify="right" if place else "left",
            overflow="fold",
            min_width=width - 3 if plain else None,
        )
    for name, cells in table.rows:
        drawn.add_row(shown(name), *(_marked(cell.text, cell.best, plain=plain) for cell in cells))
    return drawn


def table_text(table: Table) -> str:
    """Return a table as plain text, as wide as the terminal."""
    console = Console(file=StringIO(), force_jupyter=False)
    with console.capture() as captured:
        print_on(console, table, plain=True)
    return captured.get().rstrip("\n")


def table_html(table: Table) -> str:
    """Return a table as HTML, for notebooks."""
    console = Console(
        file=StringIO(), width=_NOTEBOOK_WIDTH, record=True, force_terminal=True, force_jupyter=False
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
