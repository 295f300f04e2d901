"""Finding sample folders on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from glob import has_magic
from pathlib import Path

from skinfw.data.sample_folder import is_sample_folder
from skinfw.data.struck_out import STRUCK_OUT_FILE, struck_out
from skinfw.errors import DataError


def find_samples(root: Path) -> tuple[Path, list[str]]:
    """Find all sample folders but those that are struck out; see `all_samples` for the rest.

    Raises:
        DataError: as `all_samples`, or every sample is struck out.
    """
    base, names = all_samples(root)
    gone = struck_out(base)
    left = [name for name in names if name not in gone]
    if not left:
        raise DataError(
            f"{root}: all {len(names)} samples are struck out; take names out of {base / STRUCK_OUT_FILE}"
        )
    return base, left


def all_samples(root: Path) -> tuple[Path, list[str]]:
    """Find all sample folders, those that are struck out among them.

    Args:
        root: a folder, or a glob of folders; a sample folder itself counts as one.

    Returns:
        the folder that names are relative to, and the names with forward slashes.

    Raises:
        DataError: there is no such folder, it cannot be read, or there is no sample in it.
    """
    if root.exists() or not has_magic(str(root)):
        base, tops = root, [root]
    else:
        base = _fixed_part(root)
        tops = [path for path in base.glob(str(root.relative_to(base))) if path.is_dir()]
        if not tops:
            raise DataError(f"{root}: no folder matches this pattern")
    if not base.is_dir():
        raise DataError(f"{base}: no such folder; check the path")
    folders = {folder for top in tops for folder in _sample_folders(top)}
    if not folders:
        raise DataError(
            f"{root}: no sample in it; a sample is a folder with apparel_head_foot.png or .jpg "
            "(skinfw prepare makes them from photos)"
        )
    if folders == {base}:
        base = base.parent
    return base, [folder.relative_to(base).as_posix() for folder in folders]


def _fixed_part(pattern: Path) -> Path:
    """Return the leading folders of a glob that have no wildcard."""
    fixed = Path(pattern.anchor)
    for part in pattern.relative_to(pattern.anchor).parts:
        if has_magic(part):
            break
        fixed /= part
    return fixed


def _sample_folders(top: Path) -> Iterator[Path]:
    """Yield the sample folders at or below a folder; hidden folders are work in progress."""
    pending: list[tuple[Path, tuple[str, ...]]] = [(top, (os.path.realpath(top),))]
    while pending:
        folder, above = pending.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            raise DataError(f"{folder}: the folder cannot be read: {error.strerror}") from error
        if is_sample_folder([entry.name for entry in entries]):
            yield folder
            continue
        for entry in entries:
            if entry.is_dir() and not entry.name.startswith("."):
                real = os.path.realpath(entry.path)
                # a link to a folder above would go round for ever
                if real not in above:
                    pending.append((folder / entry.name, (*above, real)))
