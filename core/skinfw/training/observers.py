"""The built-in observers of a run, hooks like any other: TensorBoard and grids of sample images."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

from PIL import Image
from torch.utils.tensorboard import SummaryWriter

from skinfw.components.registry import TRAINED
from skinfw.data.segmentation import RgbImage
from skinfw.evaluation.results import Evaluation
from skinfw.hooks.specification import hookimpl
from skinfw.runs.folder import Run
from skinfw.system.json_file import replacing
from skinfw.training.pace import log_interval

SAMPLE_ROWS = 6


class RunRecorder:
    """Writes scalars and sample grids for TensorBoard, and the grids as PNG files to ``samples/``."""

    def __init__(self) -> None:
        self._writer: SummaryWriter | None = None
        self._every = 1
        self._excepthook = threading.excepthook

    @hookimpl
    def run_started(self, run: Run, step: int, total_steps: int) -> None:
        """Open the event file; later events of an interrupted part are superseded."""
        self._every = log_interval(run.spec.training, total_steps)
        self._writer = SummaryWriter(str(run.folder / "tensorboard"), purge_step=step + 1)
        self._excepthook, threading.excepthook = threading.excepthook, self._thread_failed

    @hookimpl
    def step_ended(self, step: int, losses: Mapping[str, float]) -> None:
        """Write the losses."""
        if self._writer is not None and step % self._every == 0:
            for name, value in losses.items():
                self._writer.add_scalar(f"loss/{name}", value, step)

    @hookimpl
    def epoch_ended(
        self, run: Run, epoch: int, step: int, inpaint_samples: Callable[[int], RgbImage]
    ) -> None:
        """Write the grid of sample images."""
        if epoch % run.spec.training.sample_every:
            return
        grid = inpaint_samples(SAMPLE_ROWS)
        with replacing(run.samples_folder / f"epoch_{epoch:04d}.png") as path:
            Image.fromarray(grid).save(path, format="PNG")
        if self._writer is not None:
            self._writer.add_image("samples", grid, step, dataformats="HWC")

    @hookimpl
    def evaluated(self, evaluation: Evaluation, step: int) -> None:
        """Write the metrics."""
        if self._writer is not None:
            for name, value in evaluation.values[TRAINED].items():
                if value is not None:
                    self._writer.add_scalar(f"{evaluation.split}/{name}", value, step)

    @hookimpl
    def run_ended(self) -> None:
        """Close the event file."""
        self._close()

    @hookimpl
    def run_failed(self) -> None:
        """Close the event file if it still exists: the error of the run explains the problem."""
        with suppress(OSError):
            self._close()

    def _close(self) -> None:
        if self._writer is not None:
            try:
                self._writer.close()
            finally:
                self._writer = None
                threading.excepthook = self._excepthook

    def _thread_failed(self, failed: threading.ExceptHookArgs) -> None:
        """Print no traceback when TensorBoard's thread cannot write: the next hook raises the same error."""
        ours = type(failed.thread).__module__.startswith("tensorboard.")
        if not (ours and isinstance(failed.exc_value, OSError)):
            self._excepthook(failed)
