"""The data set of sample folders."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from skinfw.data.person_id import person_id
from skinfw.data.sample import Sample
from skinfw.data.sample_folder import RECORD_FILE, read_record, read_sample
from skinfw.data.sample_search import find_samples
from skinfw.interfaces.dataset import Dataset, DatasetIO
from skinfw.preparation.duplicates import sample_groups
from skinfw_plugins.datasets.config import FolderConfig


class FolderDataset(Dataset[FolderConfig]):
    """Reads sample folders from disk one at a time; only their names are held in memory.

    A sample is a folder with an ``apparel_head_foot`` picture, at any depth. It is called by its path below
    the root, or below the part of a glob that has no wildcard, so that a new sample never renames old ones.
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
        return read_sample(
            self._base / name,
            name,
            self.io.size,
            self.io.inputs,
            needs_skin=self.io.needs_skin,
            needs_keypoints=self.io.needs_keypoints,
        )

    def group(self, name: str) -> str:
        """Return the group of a sample: its person's, or one that near copies of its photo share.

        The person is told by the DeepFashion id in the name; see
        `skinfw.preparation.duplicates.sample_groups`.
        """
        if self._groups is None:
            names = self.names()
            folders = {name: self._base / name for name in names}
            self._groups = sample_groups(folders, person_id, self.config.duplicate_distance)
        return self._groups.get(name, person_id(name))

    def fingerprint(self) -> str:
        """Return a hash of names, file names and contents; see `fingerprint_of`."""
        names = self.names()
        return fingerprint_of(self._base, names)


def fingerprint_of(base: Path, names: Iterable[str]) -> str:
    """Return a hash of sample folders: their names, file names and contents.

    Contents are told by the hashes in ``sample.json`` where there is one, by the files' sizes otherwise;
    neither the place of the folder nor times count.

    Args:
        base: the folder that the names are relative to.
        names: the samples, in a fixed order.
    """
    digest = hashlib.sha256()
    for name in names:
        folder = base / name
        record = read_record(folder) or {}
        digest.update(f"{name}\0{record.get('files')}\0".encode("utf-8", "surrogateescape"))
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.is_file() and entry.name != RECORD_FILE:
                line = f"{entry.name}\0{entry.stat().st_size}\0"
                digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
