"""Files that a command would replace."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from skinfw.errors import RunError, counted


def reject_existing(paths: Iterable[Path], *, overwrite: bool, resumable: bool = False) -> None:
    """Raise an error if a file to be written exists.

    Args:
        paths: the files.
        overwrite: whether they may be replaced.
        resumable: whether the command can also keep them and go on.

    Raises:
        RunError: a file exists; the message names the first.
    """
    existing = [] if overwrite else [path for path in paths if path.exists()]
    if not existing:
        return
    more = f" (and {counted(len(existing) - 1, 'more file')})" if len(existing) > 1 else ""
    choices = "replace with --overwrite (in Python: overwrite=True)"
    if resumable:
        choices = "continue with --resume, replace with --overwrite (in Python: resume=True, overwrite=True)"
    raise RunError(f"{existing[0]}: already exists{more}; {choices}, or write elsewhere")
