"""Where the results of an evaluation go: into the run folder, or into a folder of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from skinfw.errors import RunError
from skinfw.runs.folder import EVALUATIONS, Run
from skinfw.system.leftovers import remove_leftovers
from skinfw.system.locks import FolderLock, locked_folder
from skinfw.system.paths_below import path_below

LOCK_FILE = ".evaluate.lock"


class Results(Protocol):
    """The files of an evaluation; a `Run` has them, and an `EvaluationFolder`."""

    @property
    def metrics_path(self) -> Path:
        """The metrics as JSON."""

    @property
    def report_path(self) -> Path:
        """The report as one HTML file."""

    @property
    def test_samples_folder(self) -> Path:
        """The example images."""

    def check_held(self) -> None:
        """Check that the folder is still the one in which the evaluation started."""


@dataclass(frozen=True)
class EvaluationFolder:
    """A folder with the results of a run on other data: ``metrics.json report.html samples/``.

    Attributes:
        folder: the folder.
        lock: keeps other processes out.
    """

    folder: Path
    lock: FolderLock

    @property
    def metrics_path(self) -> Path:
        """The metrics as JSON."""
        return self.folder / "metrics.json"

    @property
    def report_path(self) -> Path:
        """The report as one HTML file."""
        return self.folder / "report.html"

    @property
    def test_samples_folder(self) -> Path:
        """The example images."""
        return path_below(self.folder, "samples")

    def check_held(self) -> None:
        """Check that the folder is still the one in which the evaluation started.

        Raises:
            RunError: somebody removed or replaced it meanwhile.
        """
        if self.lock.lost():
            raise RunError(f"{self.folder}: was removed or replaced during the evaluation; start it again")


def default_output(run: Run, name: str) -> Path:
    """Return the folder for results on other data, by the name of the data."""
    return path_below(run.folder, f"{EVALUATIONS}/{name}")


@contextmanager
def evaluation_folder(folder: Path, *, overwrite: bool) -> Iterator[EvaluationFolder]:
    """Create the folder for results on other data, and keep other processes out of it.

    Args:
        folder: the folder.
        overwrite: replace the results in it.

    Raises:
        RunError: it holds results and ``overwrite`` is false, it holds something else, another process uses
            it, or it cannot be written to.
    """
    _reject_taken(folder, overwrite=overwrite)
    made = not folder.exists()
    try:
        with locked_folder(folder, LOCK_FILE, "skinfw evaluate") as lock:
            remove_leftovers(folder, deep=True)
            yield EvaluationFolder(folder, lock)
    finally:
        if made:
            with suppress(OSError):  # unless something was written to it
                folder.rmdir()


def _reject_taken(folder: Path, *, overwrite: bool) -> None:
    """Reject a folder that must not be written to; see `evaluation_folder`."""
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder}: is a file; give another --output")
    if not folder.is_dir():
        return
    if (folder / "spec.json").exists():
        raise RunError(f"{folder}: is a run folder, whose own results stay; give another --output")
    if (folder / "metrics.json").exists():
        if overwrite:
            return
        raise RunError(
            f"{folder}: already holds results; replace them with --overwrite (in Python: overwrite=True), or "
            "give another --output"
        )
    if any(not path.name.startswith(".") for path in folder.iterdir()):
        raise RunError(f"{folder}: holds files other than results; give another --output")
