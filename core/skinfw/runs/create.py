"""Creating the folder of a run, and replacing an older one."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skinfw.components.trust import sign
from skinfw.errors import RunError, SpecError
from skinfw.runs.environment import environment
from skinfw.runs.folder import LOCK_FILE, OWN_FILES, OWN_FOLDERS, Run, open_run
from skinfw.specs.differences import NO_RESULTS, spec_differences
from skinfw.specs.spec import AnySpec
from skinfw.system.json_file import read_json, write_json
from skinfw.system.leftovers import remove_leftovers

_COMMITS = "commits"
logger = logging.getLogger("skinfw")


def check_folder(run: Run, *, resume: bool = False, overwrite: bool = False) -> None:
    """Check that `create_run` may use a run's folder.

    Args:
        run: the folder, and the filled spec for it.
        resume: as for `create_run`.
        overwrite: as for `create_run`.

    Raises:
        RunError: the folder exists and neither was requested, or holds another run.
    """
    folder = run.folder
    taken = folder.exists() and (not folder.is_dir() or any(not _leftover(path) for path in folder.iterdir()))
    if resume and run.spec_path.is_file():
        _check_same(open_run(folder), run.spec)
    elif resume and taken:
        raise RunError(f"{folder}: contains files, but no run to resume; give another --output")
    elif taken:
        if not run.spec_path.is_file():
            raise RunError(f"{folder}: already exists and is not a run folder; give another --output")
        if not overwrite and not never_began(run):
            raise RunError(
                f"{folder}: already exists; continue it with --resume, replace it with --overwrite (in "
                "Python: resume=True, overwrite=True), or give the spec another name"
            )


def create_run(
    spec: AnySpec,
    folder: str | Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    commits: Mapping[str, str] | None = None,
) -> Run:
    """Create the folder of a run, or use an existing one, which keeps the record of its environment.

    Args:
        spec: the filled spec.
        folder: where the run's files go.
        resume: resume the existing run; only the length of training may differ in its
            spec, and what does not affect the results.
        overwrite: remove the existing run.
        commits: the names with commits of models on a hub in the spec, by the names that were given; recorded
            beside the environment.

    Raises:
        RunError: as `check_folder`, or the folder is not writable.
    """
    run = Run(Path(folder), spec, "spec")
    check_folder(run, resume=resume, overwrite=overwrite)
    if not (resume and run.spec_path.is_file()):
        _remove_own(run.folder)
    remove_leftovers(run.folder, deep=True)
    run.write_spec()
    known = _recorded(run) or environment(spec)
    used = {**recorded_commits(run), **(commits or {})}
    write_json(run.environment_path, {**known, _COMMITS: used, "signature": sign(spec.to_json())})
    return run


def record_environment(
    run: Run, step: int, *, hook_plugins: Mapping[str, str], training: Mapping[str, Any]
) -> None:
    """Record what the next steps of a run are trained with; warn if they have another precision.

    Args:
        run: the run.
        step: number of trained steps.
        hook_plugins: names and versions of the distributions whose hooks observe the run.
        training: see `skinfw.training.accelerator.training_environment`.
    """
    known = _recorded(run)
    before = known.get("training")
    if step and isinstance(before, dict):
        old, new = before.get("precision"), training["precision"]
        if old is not None and old != new:
            logger.warning(
                "%s: was trained to step %d in %s on %s; the next steps are trained in %s on %s",
                run.folder, step, old, before.get("device"), new, training["device"],
            )  # fmt: skip
    about = environment(run.spec, hook_plugins, training)
    kept = {_COMMITS: recorded_commits(run), "signature": known.get("signature", "")}
    write_json(run.environment_path, {**about, **kept})


def recorded_commits(run: Run) -> dict[str, str]:
    """Return the names with commits of models on a hub that a run uses, by the names that it was given.

    Empty if the record is missing or damaged.
    """
    found = _recorded(run).get(_COMMITS)
    pairs = found.items() if isinstance(found, dict) else ()
    return {name: used for name, used in pairs if isinstance(used, str)}


def _recorded(run: Run) -> dict[str, Any]:
    """Return the recorded environment; empty if the record is missing or damaged."""
    try:
        found = read_json(run.environment_path)
    except SpecError:
        return {}
    return found if isinstance(found, dict) else {}


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
    free = ("training.epochs", "training.steps", *NO_RESULTS)
    changed = spec_differences(old.spec, spec, free=free, commits=recorded_commits(old))
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
