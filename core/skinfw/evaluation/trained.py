"""Opening a run that was trained, maybe on another machine."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from skinfw.errors import SpecError
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.runs.folder import Run, open_run


def open_trained(folder: Path, which: Literal["best", "last"], *, trust: bool = False) -> Run:
    """Open a run whose checkpoint is to be used.

    Args:
        folder: the run folder.
        which: the checkpoint that will be read.
        trust: as for `skinfw.runs.folder.open_run`.

    Raises:
        RunError: there is no run in the folder, or it was made with a plugin that is not installed.
        SpecError: its spec does not fit what is installed for another reason.
    """
    try:
        return open_run(folder, trust=trust)
    except SpecError:
        # the spec only knows a component's name; the checkpoint knows which plugin brought it
        read_checkpoint(folder / "checkpoints" / f"{which}.safetensors")
        raise
