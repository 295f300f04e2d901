"""Samples that a run has already seen: in training, or when it chose its best checkpoint."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from skinfw.errors import counted, listed
from skinfw.runs.data_record import Hashed, read_data
from skinfw.runs.folder import Run
from skinfw.runs.split_record import read_split

SHOWN = 5
"""Maximum samples that a warning names; the rest is counted."""

logger = logging.getLogger("skinfw")


@dataclass(frozen=True)
class Seen:
    """Measured samples that are among a run's training or validation samples.

    Attributes:
        content: those with the content of such a sample, whatever their name.
        name: the others with the name of one.
    """

    content: Sequence[str]
    name: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """Return them as JSON."""
        return asdict(self)

    def warning(self, measured: int) -> str:
        """Return a warning for a number of measured samples, or an empty text."""
        of_all = f" of the {counted(measured, 'measured sample')}"
        parts = []
        if self.content:
            parts.append(f"include {len(self.content)}{of_all} ({listed(self.content, SHOWN)})")
        if self.name:
            count = f"{len(self.name)}{' more' if parts else of_all}"
            parts.append(f"have the names of {count} ({listed(self.name, SHOWN)})")
        if not parts:
            return ""
        known = f"the run's training and validation samples {' and '.join(parts)}"
        return f"{known}; results on known samples are better than on new ones"


def seen_samples(run: Run, source: Hashed, names: Collection[str]) -> Seen | None:
    """Return which samples a run was trained or validated on; None if the run has no record of its split.

    Args:
        run: the run.
        source: the measured data.
        names: the measured samples.

    Raises:
        RunError: the record of the split is damaged.
    """
    split = read_split(run.folder)
    if split is None:
        return None
    return seen_among(run.folder, {*split.train, *split.validation}, source.sample_fingerprints(), names)


def seen_among(
    folder: Path, used: Collection[str], hashes: Mapping[str, str], names: Collection[str]
) -> Seen:
    """Return which samples are among those that a run used.

    Args:
        folder: the run folder.
        used: the samples that it used, by name.
        hashes: hashes of the samples to find, by name.
        names: the samples to find.
    """
    before = read_data(folder) or {}
    contents = {before[name] for name in used if before.get(name)}
    content = [name for name in names if hashes.get(name) in contents]
    same = {*content}
    return Seen(content, [name for name in names if name in used and name not in same])
