"""Evaluating a run of any task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch

from skinfw.components.trust import connections
from skinfw.evaluation.results import Evaluation
from skinfw.inference.paint import ProgressCallback
from skinfw.runs.checkpoints import reject_untrusted, run_checkpoint
from skinfw.runs.folder import Run, locked_run
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.system.devices import pick_device
from skinfw.system.leftovers import remove_leftovers
from skinfw.tasks.inpainting.evaluate_inpainting import evaluate_inpainting
from skinfw.tasks.segmentation.evaluate_segmentation import evaluate_segmentation


def evaluate_run(
    run: Run,
    *,
    which: Literal["best", "last"] = "best",
    device: torch.device | None = None,
    progress: ProgressCallback | None = None,
) -> Evaluation:
    """Evaluate a run's checkpoint on the test samples; write ``metrics.json`` and ``report.html``.

    Everything is read from the checkpoint, so no training options are needed. The run folder is locked
    meanwhile.

    Args:
        run: the run.
        which: the best or the last checkpoint.
        device: the device; None for that of the spec.
        progress: called with the number of finished samples and the total.

    Raises:
        RunError: there is no readable checkpoint, a plugin it needs is missing, another process uses the run
            folder, or the folder cannot be written to.
        TrustError: someone else trained the run, and its spec contains programs, paths or addresses.
        DataError: the data cannot be read.
    """
    checkpoint = run_checkpoint(run, which)
    reject_untrusted(checkpoint)
    # check where the run comes from before writing: links in its folder may lead anywhere
    with _held(run) as held, connections(checkpoint.trusted):
        task = evaluate_segmentation if isinstance(checkpoint.spec, SegmentationSpec) else evaluate_inpainting
        return task(held, checkpoint, device or pick_device(checkpoint.spec.training.device), progress)


@contextmanager
def _held(run: Run) -> Iterator[Run]:
    if run.lock is not None:  # it is still locked by its training
        yield run
        return
    with locked_run(run) as held:
        remove_leftovers(held.folder, deep=True)
        yield held
