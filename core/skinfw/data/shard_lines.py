"""The lines of an index of tar shards.

The index is a file of JSON lines: first the format, then a line for each sample and, after the samples of
each shard, one for the shard, and at last the totals, so that a file that was cut off is noticed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

INDEX_FILE = "index.jsonl"
"""The index, in the folder of the shards."""

FORMAT = 1
"""Version of the index and the shards."""

MAX_SAMPLE_BYTES = 2**32 - 2**20
"""Maximum bytes of the files of a sample together."""

MAX_SAMPLE_FILES = 1000
"""Maximum number of files of a sample."""

MAX_LINE = 2**20
"""Maximum bytes of a line of the index."""

_Position = Annotated[int, Field(ge=0, lt=2**62)]
_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Line(BaseModel):
    """A line of the index; its first field says which kind it is."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    def encoded(self) -> bytes:
        """Return the line."""
        return self.model_dump_json().encode() + b"\n"


class FormatLine(_Line):
    """The first line."""

    skinfw_shards: int
    duplicate_distance: int


class SampleLine(_Line):
    """The line of a sample.

    Attributes:
        name: its name.
        group: its group in the split.
        segmenter: the type of the segmenter in its record; empty if it has none.
        hash: its `skinfw.data.sample_hash.sample_hash`.
        files: the first byte in the shard and the size of each file, by its name.
    """

    name: str
    group: str
    segmenter: str
    hash: _Digest
    files: Annotated[dict[str, tuple[_Position, _Position]], Field(min_length=1, max_length=MAX_SAMPLE_FILES)]


class ShardLine(_Line):
    """The line of a shard: its file name, size, SHA-256 and number of samples."""

    shard: str
    bytes: _Position
    sha256: _Digest
    samples: int


class TotalLine(_Line):
    """The last line."""

    total_samples: int
    total_shards: int


_LINES: Mapping[bytes, type[FormatLine | SampleLine | ShardLine | TotalLine]] = {
    next(iter(kind.model_fields)).encode(): kind for kind in (FormatLine, SampleLine, ShardLine, TotalLine)
}
_FIRST_FIELD = re.compile(rb'\{\s*"(\w+)"')


def parse_line(line: bytes) -> FormatLine | SampleLine | ShardLine | TotalLine:
    """Return a line of the index.

    Raises:
        ValueError: it is not one; the message says why.
    """
    found = _FIRST_FIELD.match(line) if line.endswith(b"\n") else None
    kind = _LINES.get(found[1]) if found else None
    if kind is None:
        raise ValueError("it is cut off, or not from an index of shards")
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
