"""Runs the missing runs of an ablation, and continues when a run fails. Light: no torch."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from skinfw.ablation.engine import Engine, Running
from skinfw.ablation.plan import PlannedRun
from skinfw.ablation.process import Job, Outcome
from skinfw.components.variables import variables_of
from skinfw.errors import RunError, SkinfwError, counted
from skinfw.models.hub import COMMITS
from skinfw.specs.pinning import pinned_spec, used_commits
from skinfw.system.leftovers import remove_leftovers
from skinfw.system.locks import locked_folder
from skinfw.training.interrupt import catch_interrupt

Tell = Callable[[str], None]
"""Receives a line about the progress."""

LOCK_FILE = ".ablate.lock"

_SECONDS_BETWEEN_LOOKS = 0.1


@contextmanager
def locked(output: Path) -> Iterator[None]:
    """Lock an output folder against other ablations.

    Raises:
        RunError: another one uses it, or it cannot be written to.
    """
    with locked_folder(output, LOCK_FILE, "skinfw ablate"):
        try:
            remove_leftovers(output, deep=True)
            yield
        except OSError as error:
            reason = error.strerror or error
            raise RunError(f"{error.filename or output}: cannot be written: {reason}") from error


def check_folders(runs: Sequence[PlannedRun], *, overwrite: bool) -> None:
    """Refuse to start if a run's folder holds something else.

    Raises:
        RunError: lists every such folder.
    """
    blocked = []
    for run in runs:
        state, why = run.state()
        if state == "in the way":
            blocked.append(f"{run.folder}: {why}; remove it, or choose another --output")
        if state == "changed" and not overwrite:
            blocked.append(f"{run.folder}: holds a run of another spec: {why}")
    if blocked:
        hint = "--overwrite repeats changed runs (in Python: overwrite=True), another --output keeps them"
        raise RunError("\n  ".join(["some runs cannot be started:", *blocked, hint]))


def run_missing(
    runs: Sequence[PlannedRun], engine: Engine, tell: Tell, commits: Mapping[str, str] | None = None
) -> dict[PlannedRun, Outcome]:
    """Run everything that is not done, with as many parallel runs as the engine has slots.

    Args:
        runs: the runs, whose folders were checked.
        engine: executes them.
        tell: called with a line at the start and the end of each.
        commits: those of `Plan.commits`, which the runs use too.

    Returns:
        the outcome of each started run.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed; every run saved its state.
    """
    schedule = _Schedule(runs, engine, tell, commits or {})
    with catch_interrupt() as interrupt:
        try:
            while schedule.look(stopping=interrupt.asked):
                time.sleep(_SECONDS_BETWEEN_LOOKS)
        finally:
            schedule.kill()
    if interrupt.asked:
        raise KeyboardInterrupt("Interrupted; the training state is saved. Continue with the same command.")
    return schedule.outcomes


class _Schedule:
    """The waiting and running runs, and the outcomes of the others."""

    def __init__(
        self, runs: Sequence[PlannedRun], engine: Engine, tell: Tell, commits: Mapping[str, str]
    ) -> None:
        self.engine, self.tell, self.commits = engine, tell, commits
        self.states = {run: run.state()[0] for run in runs}
        self.waiting = [run for run, state in self.states.items() if state != "done"]
        self.working: dict[PlannedRun, Running] = {}
        self.outcomes: dict[PlannedRun, Outcome] = {}
        self.total = len(self.waiting)
        self._stopped = False
        if self.total < len(runs):
            tell(f"{len(runs) - self.total} of {counted(len(runs), 'run')} already done")

    def look(self, *, stopping: bool) -> bool:
        """Start runs in free slots and collect finished ones; return whether anything is left."""
        if stopping:
            self._stop()
        while self.waiting and (self.engine.slots is None or len(self.working) < self.engine.slots):
            self._start(self.waiting.pop(0))
        for run, running in list(self.working.items()):
            outcome = running.poll()
            if outcome is not None:
                del self.working[run]
                self.outcomes[run] = outcome
                self.tell(_ended(run, outcome))
        return bool(self.waiting or self.working)

    def _start(self, run: PlannedRun) -> None:
        number = self.total - len(self.waiting)
        state = self.states[run]
        self.tell(f"[{number}/{self.total}] {run.label}: {_verb(state)} in {run.folder}")
        overwrite = state == "changed"
        try:
            spec = run.spec.to_json()
            variables = {**variables_of(spec), **self._commits(run)}
            job = Job(run.label, spec, run.folder.absolute(), overwrite, self.engine.threads, variables)
            self.working[run] = self.engine.start(job)
        except (SkinfwError, OSError) as error:  # a run that cannot start must not stop the others
            self.outcomes[run] = Outcome("failed", str(error), 0.0, "")
            self.tell(_ended(run, self.outcomes[run]))

    def _commits(self, run: PlannedRun) -> dict[str, str]:
        """Return the environment variable that names the commits for a run; one that goes on has its own."""
        used = used_commits(run.spec, pinned_spec(run.spec, self.commits))
        return {COMMITS: json.dumps(used)} if used else {}

    def _stop(self) -> None:
        if not self._stopped:
            self._stopped = True
            self.tell("stopping: each run saves its state; Ctrl-C again stops them immediately")
            self.waiting.clear()
            for running in self.working.values():
                running.stop()

    def kill(self) -> None:
        """Stop all running runs."""
        for running in self.working.values():
            running.kill()


def _verb(state: str) -> str:
    return {"half done": "goes on", "changed": "starts again"}.get(state, "starts")


def _ended(run: PlannedRun, outcome: Outcome) -> str:
    took = f"after {outcome.seconds:.0f} s"
    if outcome.ending == "failed":
        return f"{run.label}: failed {took}: {outcome.reason}"
    return f"{run.label}: {outcome.ending} {took}"
