from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from rich.console import Console

from skinfw.hooks import progress
from skinfw.hooks.progress import INTERVAL, RunProgress


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
    monkeypatch.setattr(progress.time, "monotonic", lambda: times[0])
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
