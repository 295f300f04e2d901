from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from skinfw.system import bar
from skinfw.system.bar import INTERVAL, ProgressLines, TimeLeft, print_progress, progress_bar


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


def test_loading_is_not_in_the_estimate(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    """9 s of loading before the first photo, then two photos a second."""
    lines = ProgressLines("paint")
    clock[0] += 9
    for done in range(1, 41):
        clock[0] += 0.5
        lines(done, 100)
    assert capsys.readouterr().err.splitlines() == [
        "paint 2 of 100 after 0:00:10",
        "paint 22 of 100 after 0:00:20, about 0:00:39 left",
    ]


def test_what_was_done_before_does_not_count_as_fast(clock: list[float]) -> None:
    left = TimeLeft()
    texts = [""]
    for done in range(501, 511):
        clock[0] += 10
        texts.append(left.text(done, 1000))
    assert texts[:3] == [""] * 3 and texts[3] == "about 1:22:50 left" and texts[-1] == "about 1:21:40 left"


def test_files_that_were_there_do_not_count_as_fast(clock: list[float]) -> None:
    """200 photos are kept in half a second, each of the others takes a second."""
    left = TimeLeft()
    for done in range(1, 201):
        clock[0] += 0.5 / 200
        left.text(done, 300)
    for done in range(201, 211):
        clock[0] += 1
        text = left.text(done, 300)
    assert text == "about 0:01:30 left"


def test_the_estimate_starts_anew_if_less_is_done(clock: list[float]) -> None:
    """Ten items, one in 10 s; then from the first one again, one in 2 s."""
    left = TimeLeft()
    for done in range(1, 11):
        clock[0] += 10
        left.text(done, 20)
    texts = []
    for done in range(8, 0, -1):
        texts.append(left.text(done, 20))
    for done in range(2, 7):
        clock[0] += 2
        texts.append(left.text(done, 20))
    assert texts[:10] == [""] * 10 and texts[-1] == "about 0:00:28 left"


def test_the_end_has_no_remaining_time(clock: list[float]) -> None:
    left = TimeLeft()
    for done in range(1, 5):
        clock[0] += 10
        text = left.text(done, 4)
    assert text == ""


def test_a_bar_shows_the_remaining_time_once_it_is_known(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr(bar, "progress_console", lambda: console)
    with progress_bar("paint") as progress:
        for done in range(1, 4):
            assert "left" not in screen.getvalue()
            clock[0] += 10
            progress(done, 9)
    assert "3/9 about 0:01:00 left" in re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())


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
