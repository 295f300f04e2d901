"""The inputs of a prepared sample, which show whether it must be remade."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from skinfw.data.image_file import check_size
from skinfw.data.sample_folder import read_record
from skinfw.data.sample_writer import POSE_FILES, WRITTEN_FILES, remove_sample, writing_failed
from skinfw.errors import DataError, RunError
from skinfw.preparation.filters import Facts
from skinfw.preparation.listing import Entry
from skinfw.system.regular_file import open_regular


def own_record(folder: Path) -> dict[str, Any] | None:
    """Return the record of a sample written by prepare, empty if damaged; None if missing.

    Raises:
        RunError: the folder was not written by prepare.
    """
    try:
        record = read_record(folder)
    except DataError:
        return {}
    if record is None and any((folder / name).exists() for name in WRITTEN_FILES):
        raise RunError(
            f"{folder}: holds a sample that prepare did not write; choose another output folder, so that "
            "it is not overwritten"
        )
    return record


def finished(
    folder: Path, record: dict[str, Any] | None, identity: dict[str, str], *, posed: bool
) -> Facts | None:
    """Return the facts of a sample if it is complete and made from the same inputs and settings.

    Args:
        folder: the sample folder.
        record: its record.
        identity: the inputs and settings.
        posed: whether a complete sample has a pose.
    """
    files = [name for name in WRITTEN_FILES if posed or name not in POSE_FILES]
    same = record is not None and all(record.get(key) == value for key, value in identity.items())
    if record is None or not same or not all((folder / name).is_file() for name in files):
        return None
    try:
        return Facts(**record["facts"])
    except (KeyError, TypeError):  # it was edited
        return None


def content_hash(photo: Path, sources: tuple[Path, ...], entry: Entry | None = None) -> str:
    """Return a hash of a photo, of the files that belong to it, and of its source's metadata if it has some.

    Raises:
        DataError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for path in (photo, *sources):
        try:
            with open_regular(path) as file:
                check_size(path, file)
                content = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            content = hashlib.sha256().hexdigest()
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror}") from error
        digest.update(f"{path.name}\0{content}\0".encode("utf-8", "surrogateescape"))
    if entry is not None and (entry.view or entry.group):
        digest.update(f"{entry.view}\0{entry.group}".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def hash_json(value: Any) -> str:
    """Return a hash of a JSON value that does not depend on the order of keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def remove_prepared(folder: Path) -> None:
    """Remove a sample written by prepare.

    Raises:
        RunError: it cannot be removed.
    """
    try:
        remove_sample(folder)
    except OSError as error:
        raise writing_failed(folder, error) from error
