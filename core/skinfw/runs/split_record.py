"""The split of a run: made at the start, recorded in the run folder, and kept from then on."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from skinfw.data.split import Split, split_names
from skinfw.errors import DataError, RunError, counted, listed
from skinfw.runs.folder import Run
from skinfw.specs.run_spec import SplitSpec
from skinfw.system.json_file import write_text
from skinfw.system.regular_file import read_regular

SHOWN = 5
"""Maximum samples that a warning names; the rest is counted."""

MAX_BYTES = 2**28
"""Maximum size of a recorded split in bytes: some millions of names."""

_SIDES = ("train", "validation", "test")

logger = logging.getLogger("skinfw")


class Grouped(Protocol):
    """Provides the names and groups of samples."""

    def names(self) -> Sequence[str]:
        """Return the names of all samples."""

    def group(self, name: str) -> str:
        """Return the group of a sample."""


def make_split(source: Grouped, data: SplitSpec) -> Split:
    """Split the samples as a spec says.

    Raises:
        RunError: the spec's file with a split is damaged or missing.
        DataError: it names no training or no test sample of the data set, or without one, there are too
            few samples; see `skinfw.data.split.split_names`.
    """
    if data.split is None:
        return split_names(source.names(), data.test_fraction, data.validation_fraction, source.group)
    split = _read(data.split)
    if split is None:
        raise RunError(f"$.data.split: {data.split}: no such file; give one like the split.json of a run")
    return _checked(split, source, data.split)


def _checked(split: Split, source: Grouped, path: Path) -> Split:
    there, listed_names = set(source.names()), {*split.train, *split.validation, *split.test}
    unknown = sorted(listed_names - there)
    if unknown:
        logger.warning(
            "%s: names %s that the data set does not have or that are excluded: %s",
            path, counted(len(unknown), "sample"), listed(unknown, SHOWN),
        )  # fmt: skip
        split = Split(
            *(
                tuple(name for name in names if name in there)
                for names in (split.train, split.validation, split.test)
            )
        )
    if not split.train or not split.test:
        raise DataError(
            f"{path}: names no training or no test sample that the data set has; names are relative to the "
            "data set's folder"
        )
    held_out = {source.group(name): name for name in (*split.test, *split.validation)}
    shared = sorted(name for name in split.train if source.group(name) in held_out)
    if shared:
        logger.warning(
            "%s: %s of a person or photo that is also held out, so the measured quality is too good: %s",
            path, counted(len(shared), "training sample"), listed(shared, SHOWN),
        )  # fmt: skip
    if unused := len(there - listed_names):
        logger.warning("%s: does not name %s, which the run does not use", path, counted(unused, "sample"))
    return split


def write_split(run: Run, split: Split) -> None:
    """Record a run's split as ``split.json``.

    Raises:
        RunError: the file cannot be written.
    """
    # names may not be valid UTF-8: JSON's escapes can represent all of them
    write_text(run.split_path, json.dumps(vars(split), indent=2) + "\n")


def read_split(folder: Path) -> Split | None:
    """Return the recorded split of a run folder, or None if missing.

    Raises:
        RunError: the file is damaged.
    """
    return _read(Run.split_of(folder))


def _read(path: Path) -> Split | None:
    """Return the split in a file, or None if missing."""
    try:
        return _split_of(json.loads(read_regular(path, MAX_BYTES)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise RunError(
            f"{path}: cannot be read as the split of a run ({reason}); restore it from a copy"
        ) from error


def _split_of(record: Any) -> Split:
    sides: list[Any] = [record.get(side) for side in _SIDES] if isinstance(record, dict) else [None]
    if not all(isinstance(names, list) for names in sides):
        raise ValueError(f"it must have the lists {', '.join(_SIDES)}")
    names = [name for side in sides for name in side]
    if not all(isinstance(name, str) for name in names):
        raise ValueError("a name is not a string")
    if len(set(names)) < len(names):
        raise ValueError("duplicate name")
    return Split(*(tuple(side) for side in sides))


def split_of_run(run: Run, source: Grouped) -> Split:
    """Return the recorded split of a run, without samples that are no longer in the data.

    Without a record, for instance next to a checkpoint alone, the data is split as the spec says.

    Raises:
        DataError: no test sample is left.
        RunError: the record is damaged.
    """
    recorded = read_split(run.folder)
    if recorded is None:
        return make_split(source, run.spec.data)
    there = set(source.names())
    left = Split(
        *(
            tuple(name for name in names if name in there)
            for names in (recorded.train, recorded.validation, recorded.test)
        )
    )
    if not left.test:
        raise DataError(
            f"{run.folder}: none of the {len(recorded.test)} test samples of this run is in the data now "
            f"(for instance {recorded.test[0]!r}); restore the data"
        )
    gone = [name for name in recorded.test if name not in there]
    if gone:
        logger.warning(
            "%s: %d of the %d test samples are missing from the data and are not evaluated: %s",
            run.folder, len(gone), len(recorded.test), listed(gone, SHOWN),
        )  # fmt: skip
    new = there.difference(recorded.train, recorded.validation, recorded.test)
    if new:
        logger.warning(
            "%s: skipping %s not in the recorded split: %s",
            run.folder, counted(len(new), "sample"), listed(sorted(new), SHOWN),
        )  # fmt: skip
    return left
