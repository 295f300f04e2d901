"""The log of a run: one JSON object per line."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from skinfw.components.strict_model import MAX_ENTRIES
from skinfw.errors import RunError
from skinfw.system.json_file import write_text
from skinfw.system.regular_file import open_regular

MAX_LOG_BYTES = 2**28
"""Maximum size of a log in bytes: the evaluations of some hundred thousand epochs."""

_MAX_LINE_BYTES = 2**20

logger = logging.getLogger("skinfw")


def append_record(path: Path, record: dict[str, Any]) -> None:
    """Append one line to a log.

    Raises:
        RunError: it cannot be written, for instance on a full disk.
    """
    line = json.dumps(record) + "\n"
    try:
        with path.open("ab+") as stream:
            if stream.tell() and _last_byte(stream) != b"\n":
                line = "\n" + line  # a killed run left half a line; keep it apart from this one
            stream.write(line.encode())
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror or error}") from error


def read_records(path: Path) -> list[dict[str, Any]]:
    """Return the records of a log; empty if the log is missing.

    A warning counts lines that a killed run left half-written or that no run writes.

    Raises:
        RunError: it cannot be read, or is larger than any log of a run.
    """
    if not path.is_file():
        return []
    try:
        with open_regular(path) as stream:
            if os.fstat(stream.fileno()).st_size > MAX_LOG_BYTES:
                raise RunError(f"{path}: larger than {MAX_LOG_BYTES:,} bytes; no run wrote it")
            # a longer line is read, and counted, in parts
            parts = iter(lambda: stream.readline(_MAX_LINE_BYTES), b"")
            lines = [_record(part) for part in parts]
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    records = [record for record in lines if record is not None]
    if len(records) < len(lines):
        logger.warning(
            "%s: skipping %d of %d lines, which cannot be read", path, len(lines) - len(records), len(lines)
        )
    return records


def write_records(path: Path, records: Sequence[dict[str, Any]]) -> None:
    """Replace the records of a log."""
    write_text(path, "".join(json.dumps(record) + "\n" for record in records))


def _last_byte(stream: IO[bytes]) -> bytes:
    stream.seek(-1, os.SEEK_END)
    return stream.read(1)


_Count = Annotated[int, Field(ge=0, le=10**12)]
_Values = dict[Annotated[str, Field(max_length=200)], float | None]


class _Record(BaseModel):
    """The fields of a log line that are read."""

    model_config = ConfigDict(strict=True)

    event: str
    step: _Count
    epoch: _Count = 0
    losses: _Values = Field(default={}, max_length=MAX_ENTRIES)
    values: _Values = Field(default={}, max_length=MAX_ENTRIES)
    seconds_per_step: float = 0.0


def _record(line: bytes) -> dict[str, Any] | None:
    """Return the record of a log line, or None if the line is damaged."""
    try:
        _Record.model_validate_json(line)
        record: dict[str, Any] = json.loads(line)
    except (ValidationError, ValueError, RecursionError):
        return None
    return record
