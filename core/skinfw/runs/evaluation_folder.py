"""Where the results of an evaluation go: into the run folder, or into a folder of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from skinfw.errors import RunError
from skinfw.runs.folder import EVALUATIONS, Run
from skinfw.runs.result_folder import ResultFolder
from skinfw.system.leftovers import remove_leftovers
from skinfw.system.locks import FolderLock, locked_folder
from skinfw.system.paths_below import path_below

LOCK_FILE = ".evaluate.lock"


@dataclass(frozen=True)
class EvaluationFolder(ResultFolder):
    """A folder with the results of a run on other data: ``metrics.json report.html samples/``.

    Attributes:
        folder: the folder.
        lock: keeps other processes out.
    """

    lock: FolderLock

    @property
    def test_samples_folder(self) -> Path:
        """The example images. See `ResultFolder.test_samples_folder`."""
        return path_below(self.folder, "samples")

    def check_held(self) -> None:
        """Check that the folder was not removed or replaced. See `ResultFolder.check_held`."""
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
