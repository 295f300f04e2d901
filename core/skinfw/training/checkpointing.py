"""Which checkpoints a training writes: the last one to resume from, and the best one by the monitor."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from skinfw.components.registry import TRAINED
from skinfw.data.split import Split
from skinfw.errors import RunError
from skinfw.evaluation.results import Evaluation
from skinfw.runs.checkpoint_header import Progress
from skinfw.runs.checkpoints import save_checkpoint
from skinfw.runs.folder import Run
from skinfw.runs.split_record import write_split
from skinfw.training.module import TrainingModule
from skinfw.training.monitor import Best, Monitor, read_monitor

logger = logging.getLogger("skinfw")


class Checkpoints:
    """The checkpoints of a run in training.

    Args:
        run: the run.
        split: its samples, which are recorded with it.
        module: the networks in training.
        is_main: whether this process writes them.

    Attributes:
        monitor: the metric that chooses the best checkpoint; None before it is known.
        best: the evaluation that chose the best checkpoint; None if none did.
        saved_at: the step of the last checkpoint; None if there is none.
    """

    def __init__(self, run: Run, split: Split, module: TrainingModule, *, is_main: bool) -> None:
        self.run, self.split, self.module, self.is_main = run, split, module, is_main
        self.monitor: Monitor | None = None
        self.best: Best | None = None
        self.saved_at: int | None = None

    def resume(self, path: Path, about: Mapping[str, Any], step: int) -> None:
        """Continue after a checkpoint.

        Args:
            path: the checkpoint.
            about: what it says about itself.
            step: its step.

        Raises:
            RunError: what it says about the monitor is damaged.
        """
        self.saved_at = step
        try:
            self.monitor, self.best = read_monitor(about.get("monitor"), about.get("best"))
        except ValueError as error:
            raise RunError(f"{path}: its monitor is damaged; start again with --overwrite") from error
        self.forget_lost_best()

    def forget_lost_best(self) -> None:
        """Choose the best checkpoint again if it was removed."""
        path = self.run.checkpoint("best")
        if self.is_main and self.best is not None and not path.is_file():
            logger.warning("%s: is missing; choosing the best checkpoint again", path)
            self.best = None

    def choose(self, evaluation: Evaluation, step: int) -> bool:
        """Return whether the weights of a step are the best so far, and remember it."""
        self.forget_lost_best()
        monitor = self.monitor
        if monitor is None:
            return False
        value = evaluation.values[TRAINED].get(monitor.metric)
        if value is None:
            logger.warning(
                "%s chooses the best checkpoint but has no value after step %d; keeping the best one so far",
                monitor.metric, step,
            )  # fmt: skip
            return False
        if self.best is not None and not monitor.better(value, self.best.value):
            return False
        self.best = Best(monitor.metric, value, step)
        return True

    def described(self, step: int) -> str:
        """Describe the existing checkpoints, for errors about a step."""
        if self.saved_at is None:
            return "No checkpoint has been written yet."
        last = self.run.checkpoint("last")
        if self.saved_at == step:
            text = f"The last checkpoint, {last}, holds the weights of this very step."
        else:
            text = f"The last checkpoint, {last}, is of step {self.saved_at}, and its weights are finite."
        if self.best is not None:
            best = self.run.checkpoint("best")
            text += f" The best one, {best}, was measured after step {self.best.step}."
        return text

    def save(self, which: str, progress: Progress) -> None:
        """Write a checkpoint, ``last`` or ``best``, and records of the run that were removed.

        Raises:
            TrainingError: a weight is not finite.
            RunError: another process uses the run folder, or it cannot be written to.
        """
        self.run.check_held()
        self._restore_records()
        self.module.check_finite(progress.step, self.described(progress.step))
        path = self.run.checkpoint(which)
        state = self.module.state()
        tensors = state if which == "last" else self.module.used(state)
        save_checkpoint(
            path,
            tensors,
            self.run.spec,
            progress,
            best=None if self.best is None else asdict(self.best),
            monitor=None if self.monitor is None else self.monitor.to_json(),
            scaler=self.module.scaler_state(),
            **self.module.about(),
        )
        if which == "last":
            self.saved_at = progress.step

    def _restore_records(self) -> None:
        """Rewrite files that are needed to resume the run, if they were removed."""
        for path, write in (
            (self.run.spec_path, self.run.write_spec),
            (self.run.split_path, partial(write_split, self.run, self.split)),
        ):
            if not path.exists():
                logger.warning("%s: was removed during the run; writing it again", path)
                write()
