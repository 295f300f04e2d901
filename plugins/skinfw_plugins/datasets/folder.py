"""The data set of sample folders."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from skinfw.components.weights import file_sha256
from skinfw.data.person_id import person_id
from skinfw.data.sample import Sample
from skinfw.data.sample_folder import RECORD_FILE, read_record, read_sample
from skinfw.data.sample_search import find_samples
from skinfw.errors import DataError
from skinfw.interfaces import Dataset, DatasetIO
from skinfw.preparation.duplicates import sample_groups
from skinfw.preparation.mask_source import prepared_by
from skinfw.system.file_state import folder_state
from skinfw.system.paths_below import path_to_read
from skinfw_plugins.datasets.config import FolderConfig


class FolderDataset(Dataset[FolderConfig]):
    """Reads sample folders from disk one at a time; only their names stay in memory.

    A sample is a folder with an ``apparel_head_foot`` image, at any depth. Its name is its path below the
    root, or below the part of a glob without wildcards, so that a new sample never renames old ones.
    """

    def __init__(self, config: FolderConfig, io: DatasetIO) -> None:
        super().__init__(config, io)
        self._names: tuple[str, ...] | None = None
        self._groups: Mapping[str, str] | None = None
        self._base = config.root

    def names(self) -> Sequence[str]:
        """Return the names of all samples, sorted; the disk is read once."""
        if self._names is None:
            self._base, found = find_samples(self.config.root.absolute())
            self._names = tuple(sorted(found))
        return self._names

    def load(self, name: str) -> Sample:
        """Read one sample; see `skinfw.data.sample_folder.read_sample` for the errors."""
        self.names()
        return read_sample(path_to_read(self._base, name), name, self.io)

    def mask_source(self, name: str) -> str:
        """Return the segmenter that computed a prepared sample's label map, from its record."""
        self.names()
        return prepared_by(path_to_read(self._base, name))

    def group(self, name: str) -> str:
        """Return the group of a sample: that of its person, or of its near-duplicates.

        The DeepFashion id in the name identifies the person; see
        `skinfw.preparation.duplicates.sample_groups`.
        """
        if self._groups is None:
            names = self.names()
            folders = {name: self._base / name for name in names}
            self._groups = sample_groups(folders, person_id, self.config.duplicate_distance)
        return self._groups.get(name, person_id(name))

    def fingerprint(self) -> str:
        """Return a hash of names, file names and contents; see `HashedFolders`."""
        return fingerprint_of(self.sample_fingerprints())

    def sample_fingerprints(self) -> Mapping[str, str]:
        """Return a hash of each sample; its files are read once."""
        return self._hashed.hashes

    def unchanged(self, name: str) -> bool:
        """Return whether the files of a sample are still those that were hashed."""
        return self._hashed.unchanged(name)

    @cached_property
    def _hashed(self) -> HashedFolders:
        names = self.names()
        return HashedFolders(self._base, names)


def fingerprint_of(hashes: Mapping[str, str]) -> str:
    """Return a hash of samples by their names and hashes, in their order."""
    digest = hashlib.sha256()
    for name, content in hashes.items():
        digest.update(f"{name}\0{content}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


class HashedFolders:
    """Hashes of some sample folders: of their file names and contents.

    Every file is read: size and time do not show every change, and a copy elsewhere must have the same hash.
    Neither the folder's location nor times matter.

    Args:
        base: the folder that the names are relative to.
        names: the samples, in a fixed order.

    Attributes:
        hashes: the hash of each sample by name.

    Raises:
        DataError: a file cannot be read.
    """

    def __init__(self, base: Path, names: Iterable[str]) -> None:
        self._base = base
        self._states: dict[str, str] = {}
        self.hashes: dict[str, str] = {}
        for name in names:
            self._states[name] = folder_state(base / name)  # before reading: a later change shows
            self.hashes[name] = _hash(base / name)

    def unchanged(self, name: str) -> bool:
        """Return whether the files of a sample are still those that were hashed."""
        return folder_state(self._base / name) == self._states[name]


def _hash(folder: Path) -> str:
    digest = hashlib.sha256()
    with os.scandir(folder) as entries:
        files = sorted(entry.name for entry in entries if entry.is_file())
    for file in files:
        digest.update(f"{file}\0{_content(folder / file)}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _content(path: Path) -> str:
    """Return a hash of the content of a sample's file.

    For the record, only the values that affect reading and splitting count: its paths and versions differ
    when the same photos are prepared elsewhere.

    Raises:
        DataError: the file cannot be read.
    """
    if path.name == RECORD_FILE:
        record = read_record(path.parent) or {}
        facts, made_with = record.get("facts"), record.get("made_with")
        encoder = made_with.get("pose_encoder") if isinstance(made_with, dict) else None
        read = {
            **{key: record.get(key) for key in ("classes", "regions", "group")},
            "phash": facts.get("phash") if isinstance(facts, dict) else None,
            "draw": encoder.get("draw") if isinstance(encoder, dict) else None,
        }
        return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()
    try:
        return file_sha256(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
