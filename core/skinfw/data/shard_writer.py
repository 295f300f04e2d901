"""Writes samples into tar shards, and their index."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO

from skinfw.data.shard_lines import FORMAT, INDEX_FILE, FormatLine, SampleLine, ShardLine, TotalLine

_ENDED = 2 * tarfile.BLOCKSIZE


class ShardWriter:
    """Writes shards and their index into a folder, one sample at a time.

    A shard is a plain tar file in which the files of a sample follow each other, as ``SAMPLE/FILE``. The same
    samples in the same order give the same bytes: times, owners and permissions are not stored.

    Args:
        folder: an empty folder.
        max_bytes: maximum size of a shard; a larger sample gets its own.
        duplicate_distance: the bits by which near-duplicates differ in the groups, for the record.

    Attributes:
        samples: samples written so far.
        shards: shards that are complete.
        bytes: their size together.

    Raises:
        OSError: a file cannot be written, here and in the methods.
    """

    def __init__(self, folder: Path, max_bytes: int, duplicate_distance: int) -> None:
        self._folder, self._max_bytes = folder, max_bytes
        self.samples = self.shards = self.bytes = 0
        self._index = (folder / INDEX_FILE).open("xb")
        self._line(FormatLine(skinfw_shards=FORMAT, duplicate_distance=duplicate_distance))
        self._shard: _OpenShard | None = None

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the last shard and the index; after an error, only close the files."""
        if kind is None:
            self._close_shard()
            self._line(TotalLine(total_samples=self.samples, total_shards=self.shards))
        elif self._shard is not None:
            self._shard.file.close()
        self._index.close()

    def add(self, name: str, files: Mapping[str, bytes], *, group: str, segmenter: str, digest: str) -> None:
        """Write a sample.

        Args:
            name: its name, UTF-8.
            files: the content of each file by its name.
            group: its group in the split.
            segmenter: the type of the segmenter in its record; empty if it has none.
            digest: its `skinfw.data.sample_hash.sample_hash`.
        """
        headers = {file: _header(f"{name}/{file}", len(data)) for file, data in files.items()}
        size = sum(len(headers[file]) + _padded(len(data)) for file, data in files.items())
        if self._shard is not None and _whole(self._shard.size + size) > self._max_bytes:
            self._close_shard()
        if self._shard is None:
            self._shard = _OpenShard(self._folder / f"{self.shards:05d}.tar")
        places = {}
        for file, data in files.items():
            self._shard.write(headers[file])
            places[file] = (self._shard.size, len(data))
            self._shard.write(data)
            self._shard.write(bytes(_padded(len(data)) - len(data)))
        self._shard.samples += 1
        self.samples += 1
        line = SampleLine(name=name, group=group, segmenter=segmenter, hash=digest, files=places)
        self._line(line)

    def _close_shard(self) -> None:
        shard = self._shard
        if shard is None:
            return
        shard.write(bytes(_whole(shard.size) - shard.size))
        shard.file.close()
        self._line(
            ShardLine(
                shard=shard.path.name,
                bytes=shard.size,
                sha256=shard.digest.hexdigest(),
                samples=shard.samples,
            )
        )
        self._shard = None
        self.shards += 1
        self.bytes += shard.size

    def _line(self, value: FormatLine | SampleLine | ShardLine | TotalLine) -> None:
        self._index.write(value.encoded())


class _OpenShard:
    """A shard that grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: IO[bytes] = path.open("xb")
        self.digest = hashlib.sha256()
        self.size = self.samples = 0

    def write(self, data: bytes) -> None:
        self.file.write(data)
        self.digest.update(data)
        self.size += len(data)


def _header(path: str, size: int) -> bytes:
    member = tarfile.TarInfo(path)
    member.size = size
    return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def _padded(size: int) -> int:
    """Return a size rounded up to tar's blocks."""
    return -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def _whole(size: int) -> int:
    """Return the size of a tar file whose members take ``size`` bytes."""
    return -(-(size + _ENDED) // tarfile.RECORDSIZE) * tarfile.RECORDSIZE
