"""Where the checkpoints of a run are. Light: the standard library only."""

from __future__ import annotations

from pathlib import Path

SUFFIX = ".safetensors"
"""The ending of checkpoints."""

CHECKPOINTS_FOLDER = "checkpoints"
"""The folder of a run's checkpoints, beside which its split is recorded."""


def checkpoint_file(folder: Path, which: str = "best") -> Path:
    """Return the path of the ``best`` or ``last`` checkpoint in a run folder."""
    return folder / CHECKPOINTS_FOLDER / f"{which}{SUFFIX}"
