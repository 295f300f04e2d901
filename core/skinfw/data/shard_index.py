"""The index of tar shards: which sample is where, in little memory per sample."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from skinfw.data.shard_lines import (
    FORMAT,
    MAX_SAMPLE_BYTES,
    FormatLine,
    SampleLine,
    ShardLine,
    TotalLine,
    parse_line,
)
from skinfw.errors import DataError
from skinfw.system.paths_below import name_error


@dataclass(frozen=True)
class Shard:
    """A tar file of samples.

    Attributes:
        name: its file name.
        size: its bytes.
        sha256: the SHA-256 of its content in hex.
    """

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Place:
    """Where a sample is.

    Attributes:
        shard: the shard that contains it.
        start: the byte of the shard where its first file begins.
        stop: the byte after its last file.
        files: the first byte, counted from ``start``, and the size of each file by its name.
    """

    shard: Shard
    start: int
    stop: int
    files: Mapping[str, tuple[int, int]]


class ShardIndex:
    """The samples in some shards.

    Args:
        lines: the lines of the index file.
        where: names the file in errors.

    Attributes:
        names: the names of all samples, sorted.
        hashes: the hash of each sample's files by its name; see `skinfw.data.sample_hash.sample_hash`.

    Raises:
        DataError: it is not an index of this format, incomplete, or contradicts itself.
    """

    names: tuple[str, ...]
    hashes: Mapping[str, str]

    def __init__(self, lines: Iterable[bytes], where: str) -> None:
        self._where = where
        reader = _Reader(where)
        for line in lines:
            reader.add(line)
        reader.finish()
        order = sorted(range(len(reader.names)), key=reader.names.__getitem__)
        rows = np.array(order, np.int64)
        self.names = tuple(reader.names[row] for row in order)
        self._reject_duplicates()
        self._groups = tuple(reader.groups[row] for row in order)
        self._shards = tuple(reader.shards)
        self._segmenters, self._kinds = tuple(reader.segmenters), tuple(reader.kinds)
        self._shard_of = _rows(reader.shard_of, rows)
        self._segmenter_of = _rows(reader.segmenter_of, rows)
        self._kind_of = _rows(reader.kind_of, rows)
        self._starts = _rows(reader.starts, rows)
        self._firsts = _rows(reader.firsts, rows)
        self._spans = np.frombuffer(reader.spans, np.uint32).reshape(-1, 2)
        self.hashes = _Hashes(self.names, np.frombuffer(reader.hashes, np.uint8).reshape(-1, 32)[rows])

    def _reject_duplicates(self) -> None:
        for one, other in zip(self.names, self.names[1:], strict=False):
            if one == other:
                raise DataError(f"{self._where}: two samples are called {one!r}; pack the samples again")

    def row(self, name: str) -> int:
        """Return the position of a name in ``names``.

        Raises:
            DataError: no sample has this name.
        """
        found = _find(self.names, name)
        if found is None:
            raise DataError(f"{self._where}: has no sample {name!r}")
        return found

    def group(self, name: str) -> str:
        """Return the group of a sample in the split, as the data set ``folder`` found it."""
        return self._groups[self.row(name)]

    def segmenter(self, name: str) -> str:
        """Return the type of the segmenter in the sample's record; empty if it has none."""
        return self._segmenters[int(self._segmenter_of[self.row(name)])]

    def place(self, name: str) -> Place:
        """Return where a sample is."""
        row = self.row(name)
        files, first = self._kinds[int(self._kind_of[row])], int(self._firsts[row])
        spans: list[list[int]] = self._spans[first : first + len(files)].tolist()
        start = int(self._starts[row])
        return Place(
            self._shards[int(self._shard_of[row])],
            start,
            start + max(offset + size for offset, size in spans),
            {file: (offset, size) for file, (offset, size) in zip(files, spans, strict=True)},
        )


def _rows(values: array[int], order: NDArray[np.int64]) -> NDArray[Any]:
    return np.array(values)[order]


def _find(names: Sequence[str], name: object) -> int | None:
    row = bisect_left(names, name) if isinstance(name, str) else len(names)
    return row if row < len(names) and names[row] == name else None


class _Hashes(Mapping[str, str]):
    """Hashes by name, as bytes: hexadecimal texts would take three times the memory."""

    def __init__(self, names: Sequence[str], digests: NDArray[np.uint8]) -> None:
        self._names, self._digests = names, digests

    def __getitem__(self, name: str) -> str:
        row = _find(self._names, name)
        if row is None:
            raise KeyError(name)
        return bytes(self._digests[row]).hex()

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class _Reader:
    """Collects the lines of an index in arrays, in the order of the file."""

    def __init__(self, where: str) -> None:
        self._where, self._number, self._ended = where, 0, False
        self.names: list[str] = []
        self.groups: list[str] = []
        self.shards: list[Shard] = []
        self.segmenters: dict[str, int] = {}
        self.kinds: dict[tuple[str, ...], int] = {}
        self.shard_of, self.segmenter_of, self.kind_of = array("I"), array("I"), array("I")
        self.starts, self.firsts, self.spans = array("Q"), array("Q"), array("I")
        self.hashes = bytearray()
        self._known_groups: dict[str, str] = {}
        self._counted = self._end = 0

    def add(self, line: bytes) -> None:
        """Take the next line."""
        self._number += 1
        try:
            value = parse_line(line)
        except ValueError as error:
            self._reject(str(error))
        if self._ended or (self._number == 1) != isinstance(value, FormatLine):
            self._reject("another line must be here in an index of shards")
        match value:
            case SampleLine():
                self._add_sample(value)
            case ShardLine():
                self._add_shard(value)
            case TotalLine():
                self._add_total(value)
            case FormatLine():
                self._check_format(value)

    def _check_format(self, value: FormatLine) -> None:
        if value.skinfw_shards != FORMAT:
            raise DataError(
                f"{self._where}: has version {value.skinfw_shards}, and this skinfw reads version "
                f"{FORMAT}; use the version of skinfw that packed the samples, or pack them again"
            )

    def _add_sample(self, value: SampleLine) -> None:
        name, group, files = value.name, value.group, value.files
        kind = tuple(files)
        for path in (name, *(() if kind in self.kinds else kind)):
            if error := name_error(path):
                self._reject(f"{path!r} is not a name of a sample or file: {error}")
        if kind not in self.kinds and any("/" in file for file in kind):
            self._reject("a file is in a subfolder")
        start = min(offset for offset, _ in files.values())
        stop = max(offset + size for offset, size in files.values())
        if stop - start > MAX_SAMPLE_BYTES:
            self._reject(f"a sample of more than {MAX_SAMPLE_BYTES:,} bytes")
        self.names.append(name)
        self.groups.append(name if group == name else self._known_groups.setdefault(group, group))
        self.shard_of.append(len(self.shards))
        self.segmenter_of.append(self.segmenters.setdefault(value.segmenter, len(self.segmenters)))
        self.kind_of.append(self.kinds.setdefault(kind, len(self.kinds)))
        self.starts.append(start)
        self.firsts.append(len(self.spans) // 2)
        for offset, size in files.values():
            self.spans.extend((offset - start, size))
        self.hashes.extend(bytes.fromhex(value.hash))
        self._end = max(self._end, stop)

    def _add_shard(self, value: ShardLine) -> None:
        name = value.shard
        if (error := name_error(name)) or "/" in name:
            self._reject(f"{name!r} is not the name of a shard: {error or 'it is a path'}")
        if value.samples != len(self.names) - self._counted or self._end > value.bytes:
            self._reject(f"{name} does not fit its samples")
        self.shards.append(Shard(name, value.bytes, value.sha256))
        self._counted, self._end = len(self.names), 0

    def _add_total(self, value: TotalLine) -> None:
        found = (len(self.names), len(self.shards))
        if found != (value.total_samples, value.total_shards) or self._counted != found[0] or not found[0]:
            self._reject(f"its totals differ from the {found[0]:,} samples in {found[1]:,} shards before")
        self._ended = True

    def finish(self) -> None:
        """Reject an index without its last line."""
        if not self._ended:
            raise DataError(
                f"{self._where}: its end is missing after line {self._number:,}; copy it again, or pack the "
                "samples again"
            )

    def _reject(self, why: str) -> NoReturn:
        raise DataError(f"{self._where}: line {self._number:,}: {why}; pack the samples again")
