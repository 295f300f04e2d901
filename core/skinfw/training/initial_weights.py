"""Starts training from the weights of another run."""

from __future__ import annotations

import logging
from pathlib import Path

from skinfw.data.split import Split
from skinfw.errors import RunError, first_line
from skinfw.models.checkpoint_file import CHECKPOINTS_FOLDER
from skinfw.models.embedded import is_embedded
from skinfw.models.named import model_path
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.runs.data_record import Hashed
from skinfw.runs.seen import seen_among
from skinfw.runs.split_record import read_split
from skinfw.runs.trained import open_trained
from skinfw.training.module import TrainingModule

logger = logging.getLogger("skinfw")


def start_from(module: TrainingModule, path: Path, split: Split, source: Hashed) -> None:
    """Give the networks of a new run the weights of another run's networks of the same names.

    The best checkpoint of a run contains only the network for inference; a discriminator then keeps its own
    initial weights.

    Args:
        module: the networks, before their first step.
        path: a run folder, whose best checkpoint is used, a checkpoint, or the name of a model.
        split: the samples of the new run.
        source: their data.

    Raises:
        RunError: the checkpoint is missing, its networks differ, or it was trained on validation or test
            samples of the new run.
    """
    file = model_path(path)
    run = open_trained(file, "best") if file.is_dir() else None
    checkpoint = read_checkpoint(file if run is None else run.checkpoint("best"), warn=not is_embedded(path))
    given = {name.partition(".")[0] for name in checkpoint.tensors}
    if module.network not in given:
        raise RunError(
            f"{checkpoint.path}: has no {module.network} to start from; give a run of the same task"
        )
    if different := module.unlike(checkpoint):
        raise RunError(f"{checkpoint.path}: {different}")
    reject_overlap(path, split, source)
    for part in module.parts:
        if part.name not in given:
            continue
        try:
            part.network.load_state_dict(checkpoint.weights(part.name))
        except RuntimeError as error:
            raise RunError(
                f"{checkpoint.path}: its {part.name} is another network than that of this spec: "
                f"{first_line(error)}; make them the same"
            ) from error


def _folder_of(path: Path) -> Path | None:
    """Return the run folder that a path names or that holds a checkpoint; None for a checkpoint alone."""
    file = model_path(path).absolute()
    if file.is_dir():
        return file
    return file.parent.parent if file.parent.name == CHECKPOINTS_FOLDER else None


def reject_overlap(path: Path, split: Split, source: Hashed) -> None:
    """Reject weights that were trained on samples that a run holds out, or on copies of them.

    Comparing fractions is not enough: small data sets are split differently, and groups may change.

    Args:
        path: a run folder, a checkpoint or the name of a model; nothing is known of a checkpoint alone, and
            without a recorded split, a warning says so.
        split: the samples of the run.
        source: their data.

    Raises:
        RunError: they were.
    """
    folder = _folder_of(path)
    if folder is None:
        return
    if not folder.is_dir():  # of a network within another one, whose checkpoint has the weights
        return
    recorded = read_split(folder)
    if recorded is None:
        logger.warning("%s: has no record of its split, so it may have seen held-out samples", folder)
        return
    trained, chosen = {*recorded.train}, {*recorded.train, *recorded.validation}
    hashes = source.sample_fingerprints()
    found = [
        seen_among(folder, chosen, hashes, split.test),
        seen_among(folder, trained, hashes, split.validation),
    ]
    seen = sorted(name for each in found for name in (*each.content, *each.name))
    if seen:
        raise RunError(
            f"{folder}: was trained on {len(seen)} test or validation samples of this run or on copies of "
            f"them, for example {seen[0]!r}; use another run, or a split that holds out other samples"
        )
