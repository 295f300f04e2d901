"""A run and its folder.

The folder holds ``spec.json environment.json split.json log.jsonl tensorboard/ samples/ checkpoints/
metrics.json report.html``.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skinfw.environment import environment
from skinfw.errors import RunError
from skinfw.jsonfile import read_json, write_json, write_text
from skinfw.spec import AnySpec, parse_spec

OWN_FILES = ("spec.json", "environment.json", "split.json", "log.jsonl", "metrics.json", "report.html")
OWN_FOLDERS = ("tensorboard", "samples", "checkpoints")


@dataclass(frozen=True)
class Run:
    """A run folder and the filled spec in it.

    Attributes:
        folder: the run folder.
        spec: the filled spec.
    """

    folder: Path
    spec: AnySpec

    @property
    def log_path(self) -> Path:
        """The log: one JSON object a line."""
        return self.folder / "log.jsonl"

    @property
    def split_path(self) -> Path:
        """The names of the samples on each side; see `skinfw.run_split`."""
        return self.split_of(self.folder)

    @staticmethod
    def split_of(folder: Path) -> Path:
        """Return where the split of a run in a folder is recorded."""
        return folder / "split.json"

    @property
    def metrics_path(self) -> Path:
        """The measured figures as JSON."""
        return self.folder / "metrics.json"

    @property
    def report_path(self) -> Path:
        """The report as one HTML file."""
        return self.folder / "report.html"

    @property
    def samples_folder(self) -> Path:
        """Grids of sample pictures."""
        return self.folder / "samples"

    def checkpoint(self, which: str = "best") -> Path:
        """Return the path of the ``best`` or ``last`` checkpoint."""
        return self.folder / "checkpoints" / f"{which}.safetensors"

    def log(self, event: str, **values: Any) -> None:
        """Append one line to the log.

        Raises:
            RunError: it cannot be written, for instance on a full disk.
        """
        try:
            with self.log_path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"event": event, **values}) + "\n")
        except OSError as error:
            raise RunError(f"{self.log_path}: cannot be written: {error.strerror or error}") from error

    def read_log(self) -> list[dict[str, Any]]:
        """Return the log's records; a last line that a killed run left half-written is dropped."""
        if not self.log_path.is_file():
            return []
        records = []
        for line in self.log_path.read_text(encoding="utf-8").splitlines():
            try:
                records.append(json.loads(line))
            except ValueError:
                break
        return records

    def rewind_log(self, step: int, *, evaluations_before: int) -> None:
        """Drop the steps after ``step``, and the evaluations at ``evaluations_before`` and after."""
        kept = [
            record
            for record in self.read_log()
            if (
                record["step"] < evaluations_before
                if record["event"] == "evaluation"
                else record["step"] <= step
            )
        ]
        write_text(self.log_path, "".join(json.dumps(record) + "\n" for record in kept))


def spec_file(folder: Path) -> Path:
    """Return the path of a run's filled spec.

    Raises:
        RunError: there is no run in the folder.
    """
    path = folder / "spec.json"
    if not path.is_file():
        raise RunError(f"{folder}: no run folder (it has no spec.json); check the path")
    return path


def open_run(folder: str | Path) -> Run:
    """Open a finished or interrupted run.

    Raises:
        RunError: there is no run in the folder.
        SpecError: its spec does not fit what is installed.
    """
    path = spec_file(Path(folder))
    return Run(Path(folder), parse_spec(read_json(path), source=str(path)))


def create_run(
    spec: AnySpec,
    folder: str | Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    hook_plugins: Mapping[str, str] | None = None,
) -> Run:
    """Make the folder of a run, or take up the one that is there.

    Args:
        spec: the filled spec.
        folder: where the run's files go.
        resume: go on with the run that is there; its spec must be the same, but for the length of training.
        overwrite: remove the run that is there.
        hook_plugins: names and versions of the distributions whose hooks observe the run.

    Raises:
        RunError: the folder exists and neither was asked for, holds another run, or is not writable.
    """
    folder = Path(folder)
    run = Run(folder, spec)
    taken = folder.exists() and (not folder.is_dir() or any(not _leftover(path) for path in folder.iterdir()))
    if resume and (folder / "spec.json").is_file():
        _check_same(open_run(folder), spec)
    elif resume and taken:
        raise RunError(f"{folder}: holds other things and no run to resume; give another --output")
    elif taken:
        if not (folder / "spec.json").is_file():
            raise RunError(f"{folder}: is there already and no run folder; give another --output")
        if not overwrite and not never_began(run):
            raise RunError(
                f"{folder}: exists already; go on with --resume, or replace it with --overwrite (in Python: "
                "resume=True, overwrite=True)"
            )
        _remove_own(folder)
    for path in (*folder.glob(".*.tmp"), *folder.glob("*/.*.tmp")):
        path.unlink()
    write_json(folder / "spec.json", spec.to_json())
    write_json(folder / "environment.json", environment(spec, hook_plugins))
    return run


def _leftover(path: Path) -> bool:
    """Return whether a file was being written when a run was killed."""
    return path.name.startswith(".") and path.suffix == ".tmp"


def never_began(run: Run) -> bool:
    """Return whether a run failed before its first step: such a folder is in nobody's way."""
    began = run.log_path.exists() or run.checkpoint("last").exists()
    return not began


def _check_same(old: Run, spec: AnySpec) -> None:
    changed = spec_differences(old.spec, spec, free=("epochs", "steps", "threads"))
    if changed:
        raise RunError(
            f"{old.folder}: holds a run of another spec: {', '.join(changed)} changed; "
            "resume with the same spec, or give another --output"
        )


def spec_differences(before: AnySpec, now: AnySpec, *, free: Sequence[str] = ()) -> list[str]:
    """Return the JSON paths at which two specs differ.

    Args:
        before: one spec.
        now: the other one.
        free: fields of ``training`` that do not count.
    """
    one, other = before.to_json(), now.to_json()
    for side in (one, other):
        for name in free:
            side["training"].pop(name, None)
    return _differences(one, other, "$")


def _differences(before: Any, now: Any, path: str) -> list[str]:
    """Return the JSON paths at which two specs differ."""
    if before == now:
        return []
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return [path]
    keys = dict.fromkeys([*before, *now])
    return [found for key in keys for found in _differences(before.get(key), now.get(key), f"{path}.{key}")]


def _remove_own(folder: Path) -> None:
    """Remove the files of a run, and nothing that skinfw did not write."""
    for name in OWN_FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in OWN_FILES:
        (folder / name).unlink(missing_ok=True)
