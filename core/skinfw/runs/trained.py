"""Opening what was trained: runs, possibly from another machine, and checkpoints without their run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from skinfw.errors import SpecError
from skinfw.models.checkpoint_file import SUFFIX, checkpoint_file
from skinfw.models.embedded import is_embedded
from skinfw.models.named import is_named, model_path
from skinfw.runs.checkpoints import Checkpoint, read_checkpoint, run_checkpoint
from skinfw.runs.folder import Run, open_run

Trained = Run | Checkpoint
"""A run, or a checkpoint without its run."""


def open_trained(folder: Path, which: Literal["best", "last"], *, trust: bool = False) -> Run:
    """Open a run to use its checkpoint.

    Args:
        folder: the run folder.
        which: the checkpoint that will be read.
        trust: as for `skinfw.runs.folder.open_run`.

    Raises:
        RunError: the folder holds no run, or needs a plugin that is not installed.
        SpecError: its spec does not fit the installed components for another reason.
    """
    folder = model_path(folder)
    try:
        return open_run(folder, trust=trust)
    except SpecError:
        # the spec only has a component's name; the checkpoint knows which plugin provided it
        read_checkpoint(checkpoint_file(folder, which))
        raise


def open_run_or_checkpoint(model: Path, which: Literal["best", "last"], *, trust: bool = False) -> Trained:
    """Open a run folder, or a checkpoint that is given as a file or by name.

    Args:
        model: the folder, the .safetensors file, or a name like ``skinfw:NAME``.
        which: the checkpoint of a run that will be read.
        trust: allow the programs, paths and addresses in its spec, even if somebody else trained it.

    Raises:
        RunError: it is neither, or needs a plugin that is not installed.
        SpecError: its spec does not fit the installed components for another reason.
        UserError: no model has that name.
    """
    path = model_path(model)
    if not (is_named(model) or path.suffix == SUFFIX) or path.is_dir():
        return open_trained(path, which, trust=trust)
    # the package was tested with its models
    ours = is_embedded(model)
    checkpoint = read_checkpoint(path, warn=not ours)
    return replace(checkpoint, trusted=True) if trust or ours else checkpoint


def checkpoint_of(trained: Trained, which: Literal["best", "last"]) -> Checkpoint:
    """Return the checkpoint of a run, or a checkpoint itself.

    Raises:
        RunError: the run has no readable checkpoint.
        TrustError: somebody else trained the run, and a link leads out of its folder.
    """
    return run_checkpoint(trained, which) if isinstance(trained, Run) else trained
