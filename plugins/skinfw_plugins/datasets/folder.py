"""The data set of sample folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from skinfw.data.person_id import person_id
from skinfw.data.sample import Sample
from skinfw.data.sample_files import FolderFiles
from skinfw.data.sample_folder import read_sample
from skinfw.data.sample_hash import fingerprint_of, sample_hash
from skinfw.data.sample_search import find_samples
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
            self.hashes[name] = sample_hash(FolderFiles(base / name))

    def unchanged(self, name: str) -> bool:
        """Return whether the files of a sample are still those that were hashed."""
        return folder_state(self._base / name) == self._states[name]
