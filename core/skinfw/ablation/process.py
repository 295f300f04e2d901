"""A run of an ablation as a process: started, watched, and what became of it. Light: no torch.

A process of its own is what keeps an ablation going when a run is killed for its memory or crashes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from skinfw.errors import SpecError
from skinfw.system.json_file import read_json, write_json, write_text
from skinfw.system.processes import imports_from_here

_SECONDS_BETWEEN_LOOKS = 0.1

Ending = Literal["done", "failed", "interrupted"]


@dataclass(frozen=True)
class Outcome:
    """What became of a run that was started.

    Attributes:
        ending: whether it was done, failed, or was asked to stop.
        reason: why it failed.
        seconds: how long it took.
        where: the machine, or the node of a cluster.
    """

    ending: Ending
    reason: str
    seconds: float
    where: str


_OUTCOME = TypeAdapter(Outcome)


@dataclass(frozen=True)
class Job:
    """What a process needs to know; paths are absolute.

    Attributes:
        label: what the run is called.
        spec: the filled spec as JSON.
        folder: the run folder.
        overwrite: whether the run that is in the folder is replaced.
        threads: threads that libraries may take where the spec leaves it open.
    """

    label: str
    spec: Mapping[str, Any]
    folder: Path
    overwrite: bool
    threads: int

    def beside(self, ending: str) -> Path:
        """Return the path of a file beside the run folder."""
        return self.folder.with_name(f"{self.folder.name}.{ending}")


class RunProcess:
    """A job at work; what it prints goes to the log beside its folder.

    Args:
        job: what is run.
        where: what the machine is called.

    Raises:
        RunError: the folder cannot be written to.
    """

    def __init__(self, job: Job, where: str) -> None:
        self.job, self.where = job, where
        self._began = time.monotonic()
        self._stopped = False
        write_json(job.beside("spec.json"), job.spec)
        write_text(job.beside("log"), "")
        job.beside("outcome.json").unlink(missing_ok=True)
        command = [
            sys.executable,
            *([] if imports_from_here() else ["-P"]),  # -m alone would import a stranger's files there
            "-m",
            "skinfw.cli.worker",
            str(job.beside("spec.json")),
            str(job.folder),
        ]
        with job.beside("log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *(["--overwrite"] if job.overwrite else [])],
                stdin=subprocess.PIPE,  # closes with this process, and the run ends with it
                stdout=log,
                stderr=subprocess.STDOUT,
                # an own session: Ctrl-C comes to the ablation alone, which tells its runs once
                start_new_session=True,
                env=_environment(job.threads),
            )

    def poll(self) -> Outcome | None:
        """Return the outcome, or None while it is at work."""
        code = self._process.poll()
        return None if code is None else self._outcome(code)

    def wait(self) -> Outcome:
        """Wait for the outcome; it can be interrupted from another thread, as Ray does."""
        while (outcome := self.poll()) is None:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        return outcome

    def stop(self) -> None:
        """Ask it to save and end, once: a second signal would end it at once."""
        if not self._stopped and self._process.poll() is None:
            self._process.terminate()
        self._stopped = True

    def kill(self) -> None:
        """End it at once; what it saved last stays."""
        self._stopped = True
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    def _outcome(self, code: int) -> Outcome:
        self._process.communicate()  # closes the pipe
        ending: Ending = "done" if code == 0 else "interrupted" if self._stopped else "failed"
        reason = _reason(code, self.job.beside("log")) if ending == "failed" else ""
        outcome = Outcome(ending, reason, round(time.monotonic() - self._began, 3), self.where)
        write_json(self.job.beside("outcome.json"), asdict(outcome))
        return outcome


def _environment(threads: int) -> dict[str, str]:
    """Return the environment of a run: `threads` 0 leaves the number of threads to it."""
    return {**os.environ, **({"OMP_NUM_THREADS": str(threads)} if threads else {})}


def _reason(code: int, log: Path) -> str:
    """Say why a process failed, by its exit code and what it printed last."""
    if code < 0:
        known = -code in set(signal.Signals)  # real-time signals have no names
        name = signal.Signals(-code).name if known else f"signal {-code}"
        hint = " (the system does that when memory runs out)" if name == "SIGKILL" else ""
        return f"killed by {name}{hint}; {log} holds what it printed"
    text = log.read_text(encoding="utf-8", errors="replace").strip()
    _, found, told = text.rpartition("\nError: ") if "\nError: " in text else ("", "", text)
    if found or text.startswith("Error: "):
        return told.removeprefix("Error: ")
    last = text.splitlines()[-1] if text else "it printed nothing"
    return f"{last} (exit code {code}; {log} holds all that it printed)"


def read_outcome(folder: Path) -> Outcome | None:
    """Return what became of the last process of a run folder, or None where none ended."""
    path = folder.with_name(f"{folder.name}.outcome.json")
    try:
        return _OUTCOME.validate_python(read_json(path)) if path.is_file() else None
    except (ValidationError, SpecError):  # another version wrote it, or it is damaged
        return None
