"""Opening a trained run, possibly from another machine."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from skinfw.errors import SpecError
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.runs.folder import Run, open_run


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
    try:
        return open_run(folder, trust=trust)
    except SpecError:
        # the spec only has a component's name; the checkpoint knows which plugin provided it
        read_checkpoint(folder / "checkpoints" / f"{which}.safetensors")
        raise
