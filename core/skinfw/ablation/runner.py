"""Runs what is missing of an ablation, and keeps going when a run fails. Light: no torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from skinfw.ablation.engine import Engine, Running
from skinfw.ablation.plan import PlannedRun
from skinfw.ablation.process import Job, Outcome
from skinfw.errors import RunError, SkinfwError
from skinfw.system.leftovers import remove_leftovers
from skinfw.system.locks import locked_folder
from skinfw.training.interrupt import catch_interrupt

Tell = Callable[[str], None]
"""Is given a line about how far it is."""

LOCK_FILE = ".ablate.lock"

_SECONDS_BETWEEN_LOOKS = 0.1


@contextmanager
def locked(output: Path) -> Iterator[None]:
    """Keep other ablations out of an output folder.

    Raises:
        RunError: another one is at work there, or the folder cannot be written to.
    """
    with locked_folder(output, LOCK_FILE, "skinfw ablate"):
        try:
            remove_leftovers(output, deep=True)
            yield
        except OSError as error:
            reason = error.strerror or error
            raise RunError(f"{error.filename or output}: cannot be written: {reason}") from error


def check_folders(runs: Sequence[PlannedRun], *, overwrite: bool) -> None:
    """Reject to start where the folder of a run holds something else.

    Raises:
        RunError: it names every such folder.
    """
    told = []
    for run in runs:
        state, why = run.state()
        if state == "in the way":
            told.append(f"{run.folder}: {why}; remove it, or give another --output")
        if state == "changed" and not overwrite:
            told.append(f"{run.folder}: holds a run of another spec: {why}")
    if told:
        hint = "--overwrite repeats changed runs (in Python: overwrite=True), another --output keeps them"
        raise RunError("\n  ".join(["some runs cannot be made:", *told, hint]))


def run_missing(runs: Sequence[PlannedRun], engine: Engine, tell: Tell) -> dict[PlannedRun, Outcome]:
    """Start the runs that are not done, as many at a time as the engine has slots.

    Args:
        runs: the runs, whose folders were checked.
        engine: where they are made.
        tell: is given a line at the start and at the end of each.

    Returns:
        what became of each run that was started.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed; every run saved where it is.
    """
    schedule = _Schedule(runs, engine, tell)
    with catch_interrupt() as interrupt:
        try:
            while schedule.look(stopping=interrupt.asked):
                time.sleep(_SECONDS_BETWEEN_LOOKS)
        finally:
            schedule.kill()
    if interrupt.asked:
        raise KeyboardInterrupt("Interrupted; what was trained is saved. Go on with the same command.")
    return schedule.outcomes


class _Schedule:
    """Which runs wait, which are at work, and what became of the others."""

    def __init__(self, runs: Sequence[PlannedRun], engine: Engine, tell: Tell) -> None:
        self.engine, self.tell = engine, tell
        self.states = {run: run.state()[0] for run in runs}
        self.waiting = [run for run, state in self.states.items() if state != "done"]
        self.working: dict[PlannedRun, Running] = {}
        self.outcomes: dict[PlannedRun, Outcome] = {}
        self.total = len(self.waiting)
        self._stopped = False
        if self.total < len(runs):
            tell(f"{len(runs) - self.total} of {len(runs)} runs are done already")

    def look(self, *, stopping: bool) -> bool:
        """Start what there is room for, and take in what has ended; return whether anything is left."""
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
        job = Job(run.label, run.spec.to_json(), run.folder.absolute(), overwrite, self.engine.threads)
        try:
            self.working[run] = self.engine.start(job)
        except (SkinfwError, OSError) as error:  # one run that cannot start must not end the others
            self.outcomes[run] = Outcome("failed", str(error), 0.0, "")
            self.tell(_ended(run, self.outcomes[run]))

    def _stop(self) -> None:
        if not self._stopped:
            self._stopped = True
            self.tell("stopping: each run saves where it is; Ctrl-C again ends them at once")
            self.waiting.clear()
            for running in self.working.values():
                running.stop()

    def kill(self) -> None:
        """End what is at work."""
        for running in self.working.values():
            running.kill()


def _verb(state: str) -> str:
    return {"half done": "goes on", "changed": "starts again"}.get(state, "starts")


def _ended(run: PlannedRun, outcome: Outcome) -> str:
    took = f"after {outcome.seconds:.0f} s"
    if outcome.ending == "failed":
        return f"{run.label}: failed {took}: {outcome.reason}"
    return f"{run.label}: {outcome.ending} {took}"
