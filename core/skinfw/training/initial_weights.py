"""Starts training from the weights of another run."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from skinfw.data.split import Split
from skinfw.errors import RunError, first_line
from skinfw.models.checkpoint_file import CHECKPOINTS_FOLDER
from skinfw.models.embedded import is_embedded
from skinfw.models.named import model_path
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.runs.data_record import Hashed, read_data
from skinfw.runs.folder import Run
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
    folder = folder_of(checkpoint.path)
    if folder is not None:
        reject_overlap(folder, split, {} if run is None else _copies(run, source))
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


def folder_of(checkpoint: Path) -> Path | None:
    """Return the run folder that holds a checkpoint; None for a checkpoint alone."""
    folder = checkpoint.absolute().parent
    return folder.parent if folder.name == CHECKPOINTS_FOLDER else None


def _copies(run: Run, source: Hashed) -> dict[str, str]:
    """Return the samples with the content of a run's sample, under the name that it has there."""
    before = {content: name for name, content in (read_data(run) or {}).items() if content}
    now = source.sample_fingerprints() if before else {}
    return {name: before[content] for name, content in now.items() if content in before}


def reject_overlap(folder: Path, split: Split, copies: Mapping[str, str] | None = None) -> None:
    """Reject a run that trained on samples that another run holds out.

    Comparing fractions is not enough: small data sets are split differently, and groups may change.

    Args:
        folder: the run folder; without a recorded split, nothing is known, and a warning says so.
        split: the samples of the other run.
        copies: the names that samples of the other run have in this one, if they have the same content.

    Raises:
        RunError: it did.
    """
    recorded = read_split(folder)
    if recorded is None:
        logger.warning("%s: has no record of its split, so it may have seen held-out samples", folder)
        return
    names = copies or {}
    trained, chosen = set(recorded.train), {*recorded.train, *recorded.validation}
    seen = sorted(
        [name for name in split.test if name in chosen or names.get(name) in chosen]
        + [name for name in split.validation if name in trained or names.get(name) in trained]
    )
    if seen:
        raise RunError(
            f"{folder}: was trained on {len(seen)} test or validation samples of this run, for example "
            f"{seen[0]!r}; use another run, or a split that holds out other samples"
        )
