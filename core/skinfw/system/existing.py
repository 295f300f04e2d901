"""Files that a command would replace."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from skinfw.errors import RunError, counted


def reject_existing(
    paths: Iterable[Path], *, overwrite: bool, resumable: bool = False, in_python: bool = True
) -> None:
    """Raise an error if a file to be written exists.

    Args:
        paths: the files.
        overwrite: whether they may be replaced.
        resumable: whether the command can also keep them and go on.
        in_python: whether a function of that name takes the same parameters.

    Raises:
        RunError: a file exists; the message names the first.
    """
    existing = [] if overwrite else [path for path in paths if path.exists()]
    if not existing:
        return
    more = f" (and {counted(len(existing) - 1, 'more file')})" if len(existing) > 1 else ""
    choices = "continue with --resume, replace with --overwrite" if resumable else "replace with --overwrite"
    if in_python:
        choices += f" (in Python: {'resume=True, ' if resumable else ''}overwrite=True)"
    raise RunError(f"{existing[0]}: already exists{more}; {choices}, or write elsewhere")
