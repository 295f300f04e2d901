"""Resuming from a checkpoint: whether it fits the run, and restoring its networks."""

from __future__ import annotations

from pathlib import Path

from skinfw.errors import RunError, first_line
from skinfw.runs.checkpoint_header import Progress
from skinfw.runs.checkpoints import Checkpoint
from skinfw.training.module import TrainingModule


def check_progress(
    path: Path,
    progress: Progress,
    *,
    processes: int,
    total_steps: int,
    batches_per_epoch: int,
    batches_per_step: int,
) -> None:
    """Reject a checkpoint whose progress does not fit this run.

    Args:
        path: the checkpoint, for errors.
        progress: how far it was trained.
        processes: number of processes of the run.
        total_steps: optimizer steps of the run.
        batches_per_epoch: batches of each epoch of a process.
        batches_per_step: batches of an optimizer step.

    Raises:
        RunError: the number of processes, steps or batches does not fit.
    """
    if progress.processes != processes:
        raise RunError(
            f"{path}: the number of processes was {progress.processes} and is now {processes}; the "
            "samples per step and the steps per epoch depend on it. Resume with the same number, "
            "or start again with --overwrite"
        )
    if progress.step > total_steps:
        raise RunError(
            f"{path}: {progress.step} steps are already trained, but the spec has {total_steps}; "
            "set training.epochs or training.steps to at least as many, or start again with --overwrite"
        )
    done = progress.step * batches_per_step
    if progress.batches > batches_per_epoch or done != progress.epoch * batches_per_epoch + progress.batches:
        raise RunError(
            f"{path}: step {progress.step}, after {progress.epoch} epochs and {progress.batches} "
            f"batches, does not fit the batches of this run, {batches_per_epoch} per epoch; start again with "
            "--overwrite"
        )


def restore(module: TrainingModule, checkpoint: Checkpoint) -> None:
    """Restore networks and optimizers.

    Args:
        module: the networks in training.
        checkpoint: their state.

    Raises:
        RunError: the checkpoint has no state of the optimizers, or fits other networks.
    """
    path = checkpoint.path
    parts = {name.partition(".")[0] for name in checkpoint.tensors}
    if checkpoint.progress.step and not any(part.endswith("_optimizer") for part in parts):
        raise RunError(
            f"{path}: has no optimizer state; it may be a copy of the best checkpoint; restore the last "
            "checkpoint, or start again with --overwrite"
        )
    try:
        module.load(checkpoint)
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        # whatever torch raises for another network's or optimizer's state
        raise RunError(
            f"{path}: does not fit the networks of this spec: {first_line(error)}; start again with "
            "--overwrite"
        ) from error
