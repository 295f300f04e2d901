"""Packs sample folders into tar shards, for data sets that one disk does not hold."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from skinfw.data.person_id import person_id
from skinfw.data.sample_files import FolderFiles, PackedFiles
from skinfw.data.sample_folder import record_of
from skinfw.data.sample_hash import sample_hash
from skinfw.data.sample_search import all_samples, not_excluded
from skinfw.data.shard_lines import MAX_SAMPLE_BYTES, MAX_SAMPLE_FILES
from skinfw.data.shard_writer import ShardWriter
from skinfw.errors import DataError, RunError, counted, write_error_text
from skinfw.preparation.config import NEAR_DUPLICATE
from skinfw.preparation.duplicates import sample_groups
from skinfw.preparation.mask_source import segmenter_in
from skinfw.system.leftovers import remove_leftovers, replacing_folder

SHARD_MIB = 1024
"""Default of the maximum size of a shard in MiB."""


@dataclass(frozen=True)
class PackReport:
    """What was packed.

    Attributes:
        samples: number of packed samples.
        excluded: number of samples that were left out because they are in ``excluded.jsonl``.
        shards: number of tar files.
        bytes: their size together.
    """

    samples: int
    excluded: int
    shards: int
    bytes: int

    def summary(self) -> str:
        """Return the numbers in one line."""
        text = f"{counted(self.samples, 'sample')} in {counted(self.shards, 'shard')}, "
        text += f"{self.bytes / 2**20:,.1f} MiB"
        return f"{text}; left out {counted(self.excluded, 'excluded sample')}" if self.excluded else text


def pack(
    data: Path,
    output: Path,
    *,
    shard_mib: int = SHARD_MIB,
    shuffle: int | None = None,
    duplicate_distance: int = NEAR_DUPLICATE,
    progress: Callable[[int, int], None] | None = None,
) -> PackReport:
    """Pack sample folders into tar shards with an index, which the data set ``shards`` reads.

    The folder appears when it is complete; what an earlier, killed process left beside it is removed.

    Args:
        data: a folder of samples or a glob, as for the data set ``folder``.
        output: the folder of the shards, which must not exist or be empty.
        shard_mib: maximum size of a shard in MiB; a larger sample gets its own.
        shuffle: seed of the order in the shards; None: sorted by name. Training does not depend on it.
        duplicate_distance: bits of 64 by which the perceptual hashes of two photos may differ for the split
            to keep them together.
        progress: called with the number of packed samples and the total.

    Returns:
        the numbers.

    Raises:
        DataError: the data contain no samples, or one cannot be read.
        RunError: the output exists or cannot be written. Nothing is written then.
    """
    _reject_existing(output)
    base, found = all_samples(data.absolute())
    names = sorted(not_excluded(data, base, found))
    for name in names:
        _reject_name(base / name, name, "folder")
    folders = {name: base / name for name in names}
    groups = sample_groups(folders, person_id, duplicate_distance)
    if shuffle is not None:
        names.sort(key=lambda name: hashlib.sha256(f"{shuffle}\0{name}".encode()).digest())
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(output.parent, of=output.name)
        with replacing_folder(output) as folder:
            with ShardWriter(folder, shard_mib * 2**20, duplicate_distance) as writer:
                for done, name in enumerate(names, 1):
                    _add(writer, name, folders[name], groups)
                    if progress is not None:
                        progress(done, len(names))
            _reject_existing(output)  # another process may have been faster
    except OSError as error:
        raise RunError(f"{output}: cannot be written: {write_error_text(error)}") from error
    return PackReport(writer.samples, len(found) - len(names), writer.shards, writer.bytes)


def _reject_existing(output: Path) -> None:
    if output.is_dir() and not any(output.iterdir()):
        return
    if output.exists() or output.is_symlink():
        raise RunError(f"{output}: already exists; remove it, or give a folder that does not exist")


def _reject_name(path: Path, name: str, what: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise DataError(f"{path}: its name is not UTF-8; rename the {what}") from None


def _add(writer: ShardWriter, name: str, folder: Path, groups: Mapping[str, str]) -> None:
    files = PackedFiles(folder, _contents(FolderFiles(folder)))
    segmenter = segmenter_in(record_of(files))
    writer.add(name, files.contents, group=groups[name], segmenter=segmenter, digest=sample_hash(files))


def _contents(files: FolderFiles) -> dict[str, bytes]:
    left, contents = MAX_SAMPLE_BYTES, {}
    names = sorted(filter(files.has, files.names))
    if len(names) > MAX_SAMPLE_FILES:
        raise DataError(
            f"{files.where}: has {len(names):,} files, but a sample in a shard has at most "
            f"{MAX_SAMPLE_FILES:,}; remove those that do not belong to it"
        )
    for name in names:
        _reject_name(files.where / name, name, "file")
        try:
            contents[name] = files.read(name, left)
        except OSError as error:
            raise DataError(f"{files.where / name}: cannot be read: {error.strerror}") from error
        left -= len(contents[name])
    return contents
