"""The data set of tar shards, on disk or on a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from skinfw.components.outside import is_address
from skinfw.components.trust import reject_connection
from skinfw.data.dataset_io import to_sample
from skinfw.data.sample import Sample
from skinfw.data.sample_files import PackedFiles
from skinfw.data.sample_folder import FileParts
from skinfw.data.sample_hash import fingerprint_of, sample_hash
from skinfw.data.shard_index import Shard, ShardIndex
from skinfw.data.shard_lines import INDEX_FILE, MAX_LINE
from skinfw.errors import DataError
from skinfw.interfaces import Dataset, DatasetIO
from skinfw.preparation.mask_source import computed_by
from skinfw.system.address import AddressedFolder
from skinfw_plugins.datasets.config import ShardsConfig

_indexes: WeakValueDictionary[str, ShardIndex] = WeakValueDictionary()
"""The indexes in use in this process, by their states: the data sets of a run share one."""


class ShardsDataset(Dataset[ShardsConfig]):
    """Reads samples from the shards of ``skinfw pack``, each by one byte range; only the index is in memory.

    Names, groups, hashes and samples are those of the data set ``folder`` on the packed samples. The files of
    a sample are compared with their hash whenever they are read, so a damaged shard, or one of another index,
    is an error.
    """

    def __init__(self, config: ShardsConfig, io: DatasetIO) -> None:
        super().__init__(config, io)
        root = config.root if is_address(config.root) else str(Path(config.root).absolute())
        self._folder = AddressedFolder(root)
        self._known: set[str] = set()

    def __getstate__(self) -> dict[str, Any]:
        """Travel to other processes without what was checked: they may see other files."""
        return {**vars(self), "_known": set()}

    def names(self) -> Sequence[str]:
        """Return the names of all samples, sorted."""
        return self._index.names

    def group(self, name: str) -> str:
        """Return the group of a sample, which ``skinfw pack`` found."""
        return self._index.group(name)

    def mask_source(self, name: str) -> str:
        """Return the segmenter that computed a sample's label map, from its record."""
        return computed_by(self._index.segmenter(name))

    def load(self, name: str) -> Sample:
        """Read one sample.

        Raises:
            DataError: the shard is missing, damaged or does not belong to the index, or cannot be reached; or
                as `skinfw.data.sample_folder.read_sample`.
        """
        place = self._index.place(name)
        self._check(place.shard)
        data = self._folder.read(place.shard.name, place.start, place.stop)
        contents = {file: data[first : first + size] for file, (first, size) in place.files.items()}
        files = PackedFiles(Path(name), contents)
        try:
            if not _is(files, self._index.hashes[name]):
                raise DataError(
                    f"{name}: its files are not those in {INDEX_FILE}: the shard is damaged, or of another "
                    "index; copy both again, or pack the samples again"
                )
            return to_sample(name, FileParts(files, self.io.mask_margin), self.io)
        except DataError as error:
            raise DataError(f"{self._folder.place(place.shard.name)}: {error}") from error

    def _check(self, shard: Shard) -> None:
        """Reject a shard that is missing or has another size; the same error for all of its samples."""
        if shard.name in self._known:
            return
        size = self._folder.size(shard.name)
        if size is not None and size != shard.size:
            raise DataError(
                f"{self._folder.place(shard.name)}: has {size:,} bytes, and {shard.size:,} in {INDEX_FILE}: "
                "it is damaged, or of another index; copy both again, or pack the samples again"
            )
        self._known.add(shard.name)

    def fingerprint(self) -> str:
        """Return a hash of names, file names and contents: that of the packed sample folders."""
        return fingerprint_of(self.sample_fingerprints())

    def sample_fingerprints(self) -> Mapping[str, str]:
        """Return the hash of each sample, from the index."""
        return self._index.hashes

    @cached_property
    def _index(self) -> ShardIndex:
        if not self._folder.is_local:
            reject_connection(f"the data at {self._folder.address}")
        state = self._folder.state(INDEX_FILE)
        index = _indexes.get(state)
        if index is None:
            lines = self._folder.lines(INDEX_FILE, MAX_LINE)
            index = _indexes[state] = ShardIndex(lines, self._folder.place(INDEX_FILE))
        return index


def _is(files: PackedFiles, digest: str) -> bool:
    try:
        return sample_hash(files) == digest
    except DataError:  # the record is damaged, which it was not when it was packed
        return False
