"""The progress of a run on the terminal and in notebooks, as a hook."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from skinfw.components.registry import TRAINED
from skinfw.evaluation.results import Evaluation
from skinfw.hooks.specification import hookimpl
from skinfw.runs.folder import Run
from skinfw.runs.split_record import read_split
from skinfw.system.bar import LEFT_COLUMN, ProgressLines, TimeLeft, progress_console, shows_bars

SMOOTHING = 0.5
"""Fraction of the old value in the running means."""

INTERVAL = 0.5
"""Seconds between two looks at the losses, which training waits for."""


class RunProgress:
    """A bar with losses and images per second; without a terminal, lines with the step, and evaluations.

    Attributes:
        test: the final evaluation on the test samples; None before.
    """

    def __init__(self) -> None:
        self.test: Evaluation | None = None
        self._console = progress_console()
        self._bar = Progress(
            TextColumn("step"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(LEFT_COLUMN),
            TextColumn("{task.fields[speed]}"),
            TextColumn("{task.fields[losses]}"),
            console=self._console,
            disable=not shows_bars(self._console),
        )
        self._task = self._bar.add_task("training", total=None, left="", speed="", losses="")
        self._means: dict[str, float] = {}
        self._next = 0.0
        self._step = self._total = 0
        self._left, self._lines = TimeLeft(), ProgressLines("step")

    @hookimpl
    def run_started(self, run: Run, step: int, total_steps: int) -> None:
        """Show the bar, and how many samples each part of the split has."""
        self._console.print(f"[bold]{run.spec.name}[/] in {run.folder}", highlight=False, soft_wrap=True)
        split = read_split(run.folder)
        if split is not None:
            train, validation, test = len(split.train), len(split.validation), len(split.test)
            self._console.print(
                f"samples: {train} training, {validation} validation, {test} test", highlight=False
            )
        self._bar.update(self._task, completed=step, total=total_steps)
        self._bar.start()
        self._step, self._total = step, total_steps
        self._left, self._lines = TimeLeft(), ProgressLines("step")

    @hookimpl
    def step_ended(self, losses: Mapping[str, float], images: int) -> None:
        """Advance the bar."""
        self._step += 1
        if self._bar.disable:
            self._lines(self._step, self._total)
            return
        self._bar.update(self._task, advance=1)
        now = monotonic()
        if now < self._next:
            return
        self._next = now + INTERVAL
        for name, value in losses.items():
            self._means[name] = SMOOTHING * self._means.get(name, value) + (1 - SMOOTHING) * value
        speed = self._bar.tasks[0].speed
        self._bar.update(
            self._task,
            left=self._left.text(self._step, self._total),
            speed=f"{speed * images:.1f} images/s" if speed else "",
            losses=" ".join(f"{name} {value:.4f}" for name, value in self._means.items()),
        )

    @hookimpl
    def evaluated(self, evaluation: Evaluation, step: int) -> None:
        """Print the results of an evaluation, and keep those of the test."""
        if evaluation.split == "test":
            self.test = evaluation
        total = self._bar.tasks[0].total
        values = "  ".join(
            f"{name} {value:.4g}{evaluation.metrics[name].unit and ' ' + evaluation.metrics[name].unit}"
            for name, value in evaluation.values[TRAINED].items()
            if value is not None
        )
        self._console.print(
            f"{evaluation.split} at step {step} of {total:.0f}: {values}", highlight=False, soft_wrap=True
        )

    @hookimpl
    def run_ended(self) -> None:
        """Remove the bar."""
        self._bar.stop()

    @hookimpl
    def run_failed(self) -> None:
        """Remove the bar."""
        self._bar.stop()
