from __future__ import annotations

import io

import pytest
from rich.console import Console

from skinfw.system import bar
from skinfw.system.bar import INTERVAL, ProgressLines, print_progress, progress_bar


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    times = [100.0]
    monkeypatch.setattr(bar, "monotonic", lambda: times[0])
    return times


def test_a_pipe_gets_a_line_now_and_then(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("paint") as progress:
        for done in range(1, 61):
            clock[0] += INTERVAL / 4
            progress(done, 1200)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 15
    assert lines[0] == "paint 4 of 1,200 after 0:00:10, about 0:49:50 left"
    assert lines[-1] == "paint 60 of 1,200 after 0:02:30, about 0:47:30 left"


def test_fast_work_in_a_pipe_prints_nothing(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("paint") as progress:
        progress(1, 1)
    with progress_bar("paint", show=False) as progress:
        clock[0] += 10 * INTERVAL
        progress(1, 2)
    assert capsys.readouterr().err == ""


def test_what_was_done_before_does_not_count_as_fast(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ProgressLines("step", done=500)
    clock[0] += 100
    lines(510, 1000)
    assert capsys.readouterr().err == "step 510 of 1,000 after 0:01:40, about 1:21:40 left\n"


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr(bar, "progress_console", lambda: console)
    with progress_bar("paint") as progress:
        progress(3, 7)
    assert "3/7" in screen.getvalue() and "after" not in screen.getvalue()


def test_work_goes_on_if_nobody_reads_the_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stderr", Gone())
    print_progress("line")
