"""What ``metrics.json`` says of how an evaluation came about."""

from __future__ import annotations

from typing import Any

from skinfw.components.weights import file_sha256
from skinfw.evaluation.results import Evaluation
from skinfw.runs.checkpoints import Checkpoint, read_progress
from skinfw.runs.environment import versions
from skinfw.runs.folder import Run


def metrics_record(
    run: Run, checkpoint: Checkpoint, data: str, evaluation: Evaluation, **more: Any
) -> dict[str, Any]:
    """Return the content of ``metrics.json``.

    Args:
        run: the run.
        checkpoint: the weights that were measured.
        data: fingerprint of the data now.
        evaluation: what was measured.
        **more: further fields.

    Raises:
        RunError: the last checkpoint cannot be read.
    """
    last = run.checkpoint("last")
    # the best weights may be older than the run: how far it is, only the last ones say
    progress = read_progress(last) if last.is_file() else checkpoint.progress
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
