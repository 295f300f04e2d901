"""Starts training from the weights of another run."""

from __future__ import annotations

from pathlib import Path

from skinfw.data.split import Split
from skinfw.errors import RunError, first_line
from skinfw.models.embedded import is_embedded
from skinfw.models.named import model_path
from skinfw.runs.checkpoints import Checkpoint, read_checkpoint
from skinfw.runs.split_record import read_split
from skinfw.runs.trained import open_trained
from skinfw.training.module import TrainingModule


def start_from(module: TrainingModule, path: Path, split: Split) -> None:
    """Give the networks of a new run the weights of another run's networks of the same names.

    The best checkpoint of a run contains only the network for inference; a discriminator then keeps its own
    initial weights.

    Args:
        module: the networks, before their first step.
        path: a run folder, whose best checkpoint is used, a checkpoint, or the name of a model.
        split: the samples of the new run.

    Raises:
        RunError: there is no such checkpoint, its networks differ, or it was trained on validation or test
            samples of the new run.
    """
    checkpoint = _checkpoint(path)
    given = {name.partition(".")[0] for name in checkpoint.tensors}
    if module.network not in given:
        raise RunError(
            f"{checkpoint.path}: has no {module.network} to start from; give a run of the same task"
        )
    reject_overlap(checkpoint.path.parents[1], split)
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


def _checkpoint(path: Path) -> Checkpoint:
    file = model_path(path)
    if file.is_dir():
        return read_checkpoint(open_trained(file, "best").checkpoint("best"))
    return read_checkpoint(file, warn=not is_embedded(path))


def reject_overlap(folder: Path, split: Split) -> None:
    """Reject a run that trained on samples that another run holds out.

    Comparing fractions is not enough: small data sets are split differently, and groups may change.

    Args:
        folder: the run folder; without a recorded split, nothing is known.
        split: the samples of the other run.

    Raises:
        RunError: it did.
    """
    recorded = read_split(folder)
    if recorded is None:
        return
    trained, chosen = set(recorded.train), {*recorded.train, *recorded.validation}
    seen = sorted(chosen.intersection(split.test) | trained.intersection(split.validation))
    if seen:
        raise RunError(
            f"{folder}: was trained on {len(seen)} test or validation samples of this run, for example "
            f"{seen[0]!r}; train it again on the data of this run"
        )
