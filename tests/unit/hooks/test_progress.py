from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from skinfw.hooks import progress
from skinfw.hooks.progress import INTERVAL, RunProgress
from skinfw.system import bar
from skinfw.system.bar import INTERVAL as LINES


class Counted(Mapping[str, float]):
    """Losses that count how often they were read."""

    def __init__(self, value: float) -> None:
        self.value, self.reads = value, 0

    def __getitem__(self, name: str) -> float:
        self.reads += 1
        return self.value

    def __iter__(self) -> Iterator[str]:
        return iter(["l1"])

    def __len__(self) -> int:
        return 1


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    times = [100.0]
    for module in (progress, bar):  # the clock of the process would also be that of servers in other threads
        monkeypatch.setattr(module, "monotonic", lambda: times[0])
    return times


def test_the_bar_counts_every_step_and_reads_losses_now_and_then(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    monkeypatch.setattr(progress, "progress_console", lambda: Console(force_terminal=True, quiet=True))
    bar, each = RunProgress(), [Counted(value) for value in (4, 8, 8)]
    for index, losses in enumerate(each):
        clock[0] += 0.8 * INTERVAL
        bar.step_ended(losses, 8)
        assert bar._bar.tasks[0].completed == index + 1
    assert [losses.reads for losses in each] == [1, 0, 1]
    assert bar._bar.tasks[0].fields["losses"] == "l1 6.0000"


def test_without_a_terminal_no_loss_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "progress_console", lambda: Console(force_terminal=False, quiet=True))
    losses = Counted(1)
    RunProgress().step_ended(losses, 8)
    assert losses.reads == 0


def test_without_a_terminal_a_line_names_the_step_now_and_then(
    monkeypatch: pytest.MonkeyPatch, clock: list[float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "progress_console", lambda: Console(force_terminal=False, quiet=True))
    shown = RunProgress()
    run = SimpleNamespace(spec=SimpleNamespace(name="tiny"), folder=tmp_path)
    shown.run_started(run, 100, 2000)  # type: ignore[arg-type]
    for _ in range(30):
        clock[0] += LINES / 10
        shown.step_ended({}, 8)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[-1] == "step 130 of 2,000 after 0:00:30, about 0:31:10 left"


def test_the_bar_shows_no_remaining_time_before_it_is_known(
    monkeypatch: pytest.MonkeyPatch, clock: list[float], tmp_path: Path
) -> None:
    monkeypatch.setattr(progress, "progress_console", lambda: Console(force_terminal=True, quiet=True))
    shown = RunProgress()
    run = SimpleNamespace(spec=SimpleNamespace(name="tiny"), folder=tmp_path)
    shown.run_started(run, 100, 200)  # type: ignore[arg-type]
    clock[0] += 60
    texts = []
    for _ in range(4):
        clock[0] += 3
        shown.step_ended({}, 8)
        texts.append(shown._bar.tasks[0].fields["left"])
    shown.run_ended()
    assert texts == ["", "", "about 0:04:51 left", "about 0:04:48 left"]
