"""Tables in a terminal and in a pipe say how the best values are marked."""

from __future__ import annotations

import pytest

from skinfw.evaluation.metric_tables import Cell, Table
from skinfw.reporting.console import print_table

TABLE = Table("run", ["PSNR"], [("one", [Cell("1.00")]), ("two", [Cell("2.00", best=True)])])


def test_a_pipe_gets_stars_and_their_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(TABLE)
    *table, legend = capsys.readouterr().out.splitlines()
    assert legend == "*: the best of its column"
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
