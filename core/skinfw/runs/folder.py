"""A run and its folder.

The folder holds ``spec.json environment.json split.json data.json log.jsonl tensorboard/ samples/
checkpoints/ metrics.json report.html evaluations/``.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from skinfw.components.trust import is_own, sign
from skinfw.errors import RunError, SpecError, listed
from skinfw.runs.environment import environment
from skinfw.runs.log import append_record, read_records, write_records
from skinfw.specs.differences import spec_differences
from skinfw.specs.spec import AnySpec, parse_spec
from skinfw.system.json_file import read_json, write_json
from skinfw.system.leftovers import remove_leftovers
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
class Run:
    """A run folder and the filled spec in it.

    Attributes:
        folder: the run folder.
        spec: the filled spec.
        lock: keeps other processes out while this one writes to the folder, see `locked_run`.
        trust: which programs, paths and addresses its checkpoints may name: those of runs that this user
            trained; also those in ``spec``, which then comes from the user; or all.
    """

    folder: Path
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
        return self.folder / "data.json"

    @property
    def metrics_path(self) -> Path:
        """The metrics as JSON."""
        return self.folder / "metrics.json"

    @property
    def report_path(self) -> Path:
        """The report as one HTML file."""
        return self.folder / "report.html"

    @property
    def samples_folder(self) -> Path:
        """Grids of sample images."""
        return self.folder / "samples"

    @property
    def test_samples_folder(self) -> Path:
        """The example images of the last evaluation, which the next one replaces.

        Raises:
            DataError: it is a link that leads out of the run folder.
        """
        return path_below(self.folder, "samples/test")

    def checkpoint(self, which: str = "best") -> Path:
        """Return the path of the ``best`` or ``last`` checkpoint."""
        return self.folder / "checkpoints" / f"{which}.safetensors"

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
        """Check that the folder is still the one in which the run started.

        Raises:
            RunError: somebody removed or replaced it during the run.
        """
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
        RunError: there is no run in the folder.
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
        what = "a checkpoint" if folder.suffix == ".safetensors" else "part of a run"
        return f"{what}, not a run folder; give the folder of its run: {own}"
    if not folder.is_dir():
        return "a file, not a run folder; give the folder that skinfw run made"
    runs = sorted(path.name for path in folder.iterdir() if (path / "environment.json").is_file())
    advice = f"give one of the run folders in it: {listed(runs, 3)}" if runs else "check the path"
    return f"not a run folder (it has no spec.json); {advice}"


def open_run(folder: str | Path, *, trust: bool = False) -> Run:
    """Open a finished or interrupted run.

    Args:
        folder: the run folder.
        trust: allow the programs, paths and addresses in its spec, even if somebody else trained it.

    Raises:
        RunError: there is no run in the folder.
        SpecError: its spec does not match the installed components.
    """
    path = spec_file(Path(folder))
    spec = parse_spec(read_json(path), source=str(path), stored=True)
    return Run(Path(folder), spec, "all" if trust else "own")


def started_here(run: Run) -> bool:
    """Return whether this user started a run: only then its spec may name anything outside skinfw."""
    try:
        return is_own(read_json(run.spec_path), read_json(run.environment_path).get("signature"))
    except (SpecError, AttributeError):  # there is no such record
        return False


def create_run(
    spec: AnySpec,
    folder: str | Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    hook_plugins: Mapping[str, str] | None = None,
) -> Run:
    """Create the folder of a run, or use an existing one.

    Args:
        spec: the filled spec.
        folder: where the run's files go.
        resume: resume the existing run; only the length of training may differ in its spec.
        overwrite: remove the existing run.
        hook_plugins: names and versions of the distributions whose hooks observe the run.

    Raises:
        RunError: the folder exists and neither was requested, holds another run, or is not writable.
    """
    folder = Path(folder)
    run = Run(folder, spec, "spec")
    taken = folder.exists() and (not folder.is_dir() or any(not _leftover(path) for path in folder.iterdir()))
    if resume and run.spec_path.is_file():
        _check_same(open_run(folder), spec)
    elif resume and taken:
        raise RunError(f"{folder}: contains files, but no run to resume; give another --output")
    elif taken:
        if not run.spec_path.is_file():
            raise RunError(f"{folder}: already exists and is not a run folder; give another --output")
        if not overwrite and not never_began(run):
            raise RunError(
                f"{folder}: already exists; continue with --resume, or replace it with --overwrite (in "
                "Python: resume=True, overwrite=True)"
            )
        _remove_own(folder)
    remove_leftovers(folder, deep=True)
    run.write_spec()
    about = {**environment(spec, hook_plugins), "signature": sign(spec.to_json())}
    write_json(run.environment_path, about)
    return run


def _leftover(path: Path) -> bool:
    """Return whether a file is not part of a run: the lock, or a leftover of a killed run."""
    return path.name == LOCK_FILE or (path.name.startswith(".") and path.suffix == ".tmp")


def never_began(run: Run) -> bool:
    """Return whether a run failed before its first step, so that its folder can be replaced.

    A folder reduced to the best weights or the metrics does not count as such.
    """
    traces = (run.log_path, run.checkpoint("last"), run.checkpoint("best"), run.metrics_path)
    return not any(path.exists() for path in traces)


def _check_same(old: Run, spec: AnySpec) -> None:
    changed = spec_differences(old.spec, spec, free=("epochs", "steps", "threads"))
    if changed:
        raise RunError(
            f"{old.folder}: contains a run with another spec: {', '.join(changed)} changed; "
            "resume with the same spec, or give another --output"
        )


def _remove_own(folder: Path) -> None:
    """Remove the files of a run, and nothing that skinfw did not write."""
    for name in OWN_FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in OWN_FILES:
        (folder / name).unlink(missing_ok=True)
