"""Tables in a terminal and in a pipe say how the best values are marked."""

from __future__ import annotations

import pytest

from skinfw.evaluation.metric_tables import UNRANKED, Cell, Table
from skinfw.evaluation.table_text import fitted, table_text
from skinfw.reporting.console import print_table

TABLE = Table("run", ["PSNR"], [("one", [Cell("1.00")]), ("two", [Cell("2.00", best=True)])])


def test_a_pipe_gets_stars_and_their_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(TABLE)
    *table, legend = capsys.readouterr().out.splitlines()
    assert legend == "*: the best of its column, however small its lead"
    assert [line for line in table if "*" in line] == [line for line in table if "2.00*" in line] != []


def test_a_terminal_shows_bold_and_its_meaning(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    print_table(TABLE, best="the best of [all]")
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "bold: the best of [all]" and "*" not in out
    assert "\x1b[1;32m2.00" in out


def test_nothing_marked_has_no_legend(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(Table("run", ["PSNR"], [("one", [Cell("1.00")])]))
    assert ": the best" not in capsys.readouterr().out


def wide(rows: int = 3, columns: int = 11) -> Table:
    heads = [f"image metric {column}" for column in range(columns)]
    return Table(
        "run",
        heads,
        [
            (f"generator_{row}", [Cell(f"{row}.{c}0", best=row == 2) for c in range(columns)])
            for row in range(rows)
        ],
    )


@pytest.mark.parametrize("width", [60, 80, 240])
def test_a_pipe_gets_every_name_and_number_whole_within_the_width(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for table in (wide(), wide(rows=12)):
        print_table(table)
        out = capsys.readouterr().out
        assert max(map(len, out.splitlines())) <= width
        texts = [text for name, cells in table.rows for text in (name, *(cell.text for cell in cells))]
        assert all(text in out for text in (*texts, *table.columns))


def test_a_wide_table_is_transposed_and_its_values_stay_with_their_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (lying,), exchanged = fitted(wide(), 80)
    assert exchanged and lying.columns == ["generator_0", "generator_1", "generator_2"]
    assert dict(lying.rows)["image metric 7"] == [Cell("0.70"), Cell("1.70"), Cell("2.70", best=True)]
    print_table(wide())
    assert "*: the best of its row" in capsys.readouterr().out


def test_a_table_that_is_too_wide_in_both_directions_is_split() -> None:
    parts, exchanged = fitted(wide(rows=12), 80)
    assert len(parts) > 1
    columns = [column for part in parts for column in part.columns]
    names = [name for name, _ in wide(rows=12).rows]
    assert columns == (names if exchanged else wide().columns)


def test_a_name_longer_than_the_width_is_whole_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    name = "runs/" + "x" * 100
    print_table(Table("run", ["PSNR"], [(name, [Cell("1.00")])]))
    assert name in capsys.readouterr().out


def test_the_names_of_columns_are_folded_between_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"opencv_inpaint of run_{number} (baseline)" for number in range(3)]
    table = Table("run", names, [(f"metric {row}", [Cell("1.00")] * 3) for row in range(12)])
    (part,), exchanged = fitted(table, 100)
    assert part == table and not exchanged
    monkeypatch.setenv("COLUMNS", "100")
    print_table(table)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 100 and out.count("metric 7") == 1
    assert not any(name in out for name in names)
    for word in ("opencv_inpaint", "(baseline)"):
        assert out.count(word) == 3
    assert all(f"run_{number}" in out for number in range(3))


def test_long_cells_are_folded_beside_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    words = "apparel_head_foot line segmentation_skin face mask alpha"
    print_table(Table("field", ["one", "two"], [("data.inputs", [Cell(words), Cell(words)])]))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80 and len(lines) > 5
    for word in words.split():
        assert sum(line.count(word) for line in lines) == 2


def test_a_terminal_without_styles_gets_stars(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    print_table(TABLE)
    assert "2.00*" in capsys.readouterr().out


def test_no_color_keeps_the_marks_without_color(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    print_table(TABLE)
    out = capsys.readouterr().out
    assert "\x1b[1m2.00" in out and "32m" not in out


def test_values_that_are_not_ranked_are_explained_once(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("run", ["PSNR"], [(name, [Cell(f"1.00{UNRANKED}")]) for name in "abc"])
    print_table(table)
    assert capsys.readouterr().out.count("not ranked") == 1
    assert table_text(table).splitlines()[-1] == "†: not ranked"
