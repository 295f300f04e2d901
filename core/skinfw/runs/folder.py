"""A run and its folder.

The folder holds ``spec.json environment.json split.json data.json log.jsonl tensorboard/ samples/
checkpoints/ metrics.json report.html evaluations/``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from skinfw.components.trust import is_own
from skinfw.errors import RunError, SpecError, listed
from skinfw.models.checkpoint_file import SUFFIX, checkpoint_file
from skinfw.models.hub import local_model
from skinfw.runs.log import append_record, read_records, write_records
from skinfw.runs.result_folder import ResultFolder
from skinfw.specs.spec import AnySpec, parse_spec
from skinfw.system.json_file import read_json, write_json
from skinfw.system.locks import FolderLock, locked_folder
from skinfw.system.paths_below import path_below

OWN_FILES = (
    "spec.json",
    "environment.json",
    "split.json",
    "data.json",
    "log.jsonl",
    "metrics.json",
    "report.html",
)
EVALUATIONS = "evaluations"
"""Folder for the results on other data."""

OWN_FOLDERS = ("tensorboard", "samples", "checkpoints", EVALUATIONS)

LOCK_FILE = ".run.lock"

logger = logging.getLogger("skinfw")


@dataclass(frozen=True)
class Run(ResultFolder):
    """A run folder and the filled spec in it.

    Attributes:
        folder: the run folder.
        spec: the filled spec.
        lock: keeps other processes out while this one writes to the folder, see `locked_run`.
        trust: which programs, paths and addresses its checkpoints may name: those of runs that this user
            trained; also those in ``spec``, which then comes from the user; or all.
    """

    spec: AnySpec
    trust: Literal["own", "spec", "all"] = "own"
    lock: FolderLock | None = field(default=None, compare=False, repr=False)

    @property
    def spec_path(self) -> Path:
        """The filled spec as JSON; a folder without it is not a run folder."""
        return self.folder / "spec.json"

    @property
    def environment_path(self) -> Path:
        """The versions and the machine, and the signature of whoever started the run."""
        return self.folder / "environment.json"

    @property
    def log_path(self) -> Path:
        """The log: one JSON object per line."""
        return self.folder / "log.jsonl"

    @property
    def split_path(self) -> Path:
        """The names of the samples in each split; see `skinfw.runs.split_record`."""
        return self.split_of(self.folder)

    @staticmethod
    def split_of(folder: Path) -> Path:
        """Return the path of the recorded split of a run folder."""
        return folder / "split.json"

    @property
    def data_path(self) -> Path:
        """The names and hashes of the samples at the start of the run; see `skinfw.runs.data_record`."""
        return self.data_of(self.folder)

    @staticmethod
    def data_of(folder: Path) -> Path:
        """Return the path of the names and hashes of the samples of a run folder."""
        return folder / "data.json"

    @property
    def samples_folder(self) -> Path:
        """Grids of sample images."""
        return self.folder / "samples"

    @property
    def test_samples_folder(self) -> Path:
        """The example images. See `ResultFolder.test_samples_folder`."""
        return path_below(self.folder, "samples/test")

    def checkpoint(self, which: str = "best") -> Path:
        """Return the path of the ``best`` or ``last`` checkpoint."""
        return checkpoint_file(self.folder, which)

    def write_spec(self) -> None:
        """Write the spec; see `skinfw.system.json_file.replacing` for the errors."""
        write_json(self.spec_path, self.spec.to_json())

    def log(self, event: str, **values: Any) -> None:
        """Append one line to the log.

        Raises:
            RunError: it cannot be written, for instance on a full disk.
        """
        self.check_held()
        append_record(self.log_path, {"event": event, **values})

    def read_log(self) -> list[dict[str, Any]]:
        """Return the log's records.

        A warning counts lines that a killed run left half-written or that no run writes.

        Raises:
            RunError: it cannot be read, or is larger than any log of a run.
        """
        return read_records(self.log_path)

    def check_held(self) -> None:
        """Check that the folder was not removed or replaced. See `ResultFolder.check_held`."""
        if self.lock is not None and self.lock.lost():
            raise RunError(f"{self.folder}: was removed or replaced during the run; start it again")

    def rewind_log(self, step: int, *, evaluations_before: int) -> None:
        """Drop the steps after ``step``, and the evaluations from ``evaluations_before`` on."""
        kept = [
            record
            for record in self.read_log()
            if (
                record["step"] < evaluations_before
                if record["event"] == "evaluation"
                else record["step"] <= step
            )
        ]
        write_records(self.log_path, kept)


@contextmanager
def locked_run(run: Run) -> Iterator[Run]:
    """Keep other processes out of a run's folder; creates the folder if needed.

    Yields:
        the run with its lock.

    Raises:
        RunError: another process uses the folder, or it cannot be written to.
    """
    folder, made = run.folder, not run.folder.exists()
    if not (made or folder.is_dir()):
        raise RunError(f"{folder}: already exists and is not a run folder; give another --output")
    try:
        with locked_folder(folder, LOCK_FILE, "process") as lock:
            yield replace(run, lock=lock)
    finally:
        if made:
            with suppress(OSError):  # unless something was written to it
                folder.rmdir()


def spec_file(folder: Path) -> Path:
    """Return the path of a run's filled spec.

    Raises:
        RunError: the folder holds no run.
    """
    path = folder / "spec.json"
    if path.is_file():
        return path
    raise RunError(f"{folder}: {_not_a_run(folder)}")


def _not_a_run(folder: Path) -> str:
    """Return why a path is not a run folder, and what to give instead."""
    if not folder.exists():
        return "no such folder; give a run folder made by skinfw run"
    own = next((parent for parent in folder.parents if (parent / "environment.json").is_file()), None)
    if own is not None:
        what = "a checkpoint" if folder.suffix == SUFFIX else "part of a run"
        return f"{what}, not a run folder; give the folder of its run: {own}"
    if not folder.is_dir():
        return "a file, not a run folder; give the folder that skinfw run made"
    runs = sorted(path.name for path in folder.iterdir() if (path / "environment.json").is_file())
    advice = f"give one of the run folders in it: {listed(runs, 3)}" if runs else "check the path"
    return f"not a run folder (it has no spec.json); {advice}"


def open_run(folder: str | Path, *, trust: bool = False) -> Run:
    """Open a finished or interrupted run.

    Args:
        folder: the run folder, or a model on the hub; see `skinfw.models.hub`.
        trust: allow the programs, paths and addresses in its spec, even if somebody else trained it.

    Raises:
        RunError: the folder holds no run.
        SpecError: its spec does not match the installed components.
    """
    folder = local_model(folder)
    path = spec_file(folder)
    spec = parse_spec(read_json(path), source=str(path), stored=True)
    return Run(folder, spec, "all" if trust else "own")


def started_here(run: Run) -> bool:
    """Return whether this user started a run: only then its spec may name anything outside skinfw."""
    try:
        return is_own(read_json(run.spec_path), read_json(run.environment_path).get("signature"))
    except (SpecError, AttributeError):  # the record is missing or incomplete
        return False
