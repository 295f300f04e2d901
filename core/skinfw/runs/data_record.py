"""The data of a run: a hash of each sample, so that an error can name the changed ones."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from skinfw.errors import counted, listed
from skinfw.runs.folder import Run
from skinfw.system.json_file import write_text
from skinfw.system.regular_file import read_regular

logger = logging.getLogger("skinfw")

SHOWN = 3
"""Maximum samples that a message names per kind of change; the rest is counted."""

MAX_BYTES = 2**28
"""Maximum size of a record in bytes: some millions of samples."""


class Hashed(Protocol):
    """Provides the names and hashes of samples."""

    def names(self) -> Sequence[str]:
        """Return the names of all samples."""

    def fingerprint(self) -> str:
        """Return a hash that changes when the data changes."""

    def sample_fingerprints(self) -> Mapping[str, str]:
        """Return a hash of each sample by name; empty if the data set has none."""


def write_data(run: Run, source: Hashed) -> None:
    """Record the samples of a run as ``data.json``: a hash of each, or null without one.

    Raises:
        RunError: the file cannot be written.
    """
    hashes = source.sample_fingerprints()
    record = {name: hashes.get(name) for name in source.names()}
    write_text(run.data_path, json.dumps(record, indent=0) + "\n")


def data_changes(run: Run, source: Hashed) -> str:
    """Describe which samples were added, removed or changed since a run recorded them.

    Returns:
        for instance ``2 samples added: a, b; 1 sample changed: c``; empty if the record does not show it.
    """
    before = read_data(run.folder)
    if before is None:
        return ""
    hashes = source.sample_fingerprints()
    now = {name: hashes.get(name) for name in source.names()}
    changes = {
        "added": [name for name in now if name not in before],
        "removed": [name for name in before if name not in now],
        "changed": [name for name in now if name in before and _differ(now[name], before[name])],
    }
    return "; ".join(
        f"{counted(len(names), 'sample')} {what}: {listed(sorted(names), SHOWN)}"
        for what, names in changes.items()
        if names
    )


def _differ(one: Any, other: Any) -> bool:
    """Return whether two hashes are known and differ; a sample without a hash may be unchanged."""
    return one is not None and other is not None and bool(one != other)


def current_fingerprint(run: Run, source: Hashed, trained_on: str) -> str:
    """Return the fingerprint of the data; warn if a run was trained on different data."""
    fingerprint = source.fingerprint()
    if fingerprint != trained_on:
        changes = data_changes(run, source)
        logger.warning(
            "the data changed since %s was trained%s: results may not be comparable",
            run.folder, f" ({changes})" if changes else "",
        )  # fmt: skip
    return fingerprint


def read_data(folder: Path) -> dict[str, Any] | None:
    """Return what `write_data` recorded in a run folder; None if it is missing or unreadable."""
    try:
        record = json.loads(read_regular(Run.data_of(folder), MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
