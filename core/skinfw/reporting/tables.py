"""Tables as Markdown and LaTeX. Light: no torch."""

from __future__ import annotations

from collections.abc import Sequence

from skinfw.evaluation.metric_tables import Cell, Table

_TEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        **{character: f"\\{character}" for character in "&%$#_{}"},
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"$<$",
        ">": r"$>$",
        "|": r"$|$",
        "±": r"$\pm$",
        "†": r"$^\dagger$",
        "↑": r"$\uparrow$",
        "↓": r"$\downarrow$",
        "→": r"$\rightarrow$",
        "\n": " ",
        "\r": " ",
    }
)
_MARKDOWN = str.maketrans({"|": "\\|", "\n": " ", "\r": " "})
"""A bar or a line break would end a cell."""


def markdown_table(table: Table) -> str:
    """Return a table as Markdown; the best values are bold."""

    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cell.translate(_MARKDOWN) for cell in cells)} |"

    rows = [
        line([name, *(f"**{cell.text}**" if cell.best else cell.text for cell in cells)])
        for name, cells in table.rows
    ]
    rule = f"| --- |{' ---: |' * len(table.columns)}"
    return "\n".join([line([table.corner, *table.columns]), rule, *rows])


def tex_text(text: str) -> str:
    """Return a text escaped for LaTeX, including arrows and plus-minus signs."""
    return text.translate(_TEX)


def tex_table(table: Table, caption: str) -> str:
    """Return a table as a LaTeX float with booktabs rules; the best values are bold."""

    def line(cells: Sequence[str]) -> str:
        return f"{' & '.join(cells)} \\\\"

    def number(cell: Cell) -> str:
        text = tex_text(cell.text)
        return f"\\textbf{{{text}}}" if cell.best else text

    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            f"\\caption{{{tex_text(caption)}}}",
            f"\\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
            r"\toprule",
            line([tex_text(text) for text in (table.corner, *table.columns)]),
            r"\midrule",
            *(line([tex_text(name), *map(number, cells)]) for name, cells in table.rows),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )
