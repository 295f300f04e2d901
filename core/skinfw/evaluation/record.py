"""The origin of an evaluation in ``metrics.json``."""

from __future__ import annotations

from typing import Any

from skinfw.components.weights import file_sha256
from skinfw.evaluation.results import Evaluation
from skinfw.runs.checkpoint_header import read_header
from skinfw.runs.checkpoints import Checkpoint
from skinfw.runs.environment import versions
from skinfw.runs.folder import Run


def metrics_record(
    run: Run, checkpoint: Checkpoint, data: str, evaluation: Evaluation, **more: Any
) -> dict[str, Any]:
    """Return the content of ``metrics.json``.

    Args:
        run: the run.
        checkpoint: the evaluated weights.
        data: current fingerprint of the data.
        evaluation: the results.
        **more: further fields.

    Raises:
        RunError: the last checkpoint cannot be read.
    """
    last = run.checkpoint("last")
    # the best weights may be older: only the last checkpoint knows the run's progress
    progress = read_header(last).progress if last.is_file() else checkpoint.progress
    training = run.spec.training
    return {
        "checkpoint": {
            "which": checkpoint.path.stem,
            "step": checkpoint.progress.step,
            "sha256": file_sha256(checkpoint.path),
        },
        "training": {
            "step": progress.step,
            "total_steps": progress.total_steps,
            "epochs": training.epochs,
            "steps": training.steps,
        },
        "data": data,
        "versions": versions(),
        "test": evaluation.to_json(),
        **more,
    }
