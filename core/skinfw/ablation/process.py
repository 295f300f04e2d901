"""A run of an ablation as a process: start, monitoring and outcome. Light: no torch.

A separate process keeps the ablation alive if a run is killed for its memory or crashes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
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
    """The outcome of a started run.

    Attributes:
        ending: whether it finished, failed, or was asked to stop.
        reason: why it failed.
        seconds: how long it took.
        where: the machine, or the node of the cluster.
    """

    ending: Ending
    reason: str
    seconds: float
    where: str


_OUTCOME = TypeAdapter(Outcome)


@dataclass(frozen=True)
class Job:
    """The arguments of a process; paths are absolute.

    Attributes:
        label: the run's name.
        spec: the filled spec as JSON.
        folder: the run folder.
        overwrite: whether to replace the run in the folder.
        threads: threads of libraries if the spec does not set them.
        variables: environment variables of the run, which another machine may not have.
    """

    label: str
    spec: Mapping[str, Any]
    folder: Path
    overwrite: bool
    threads: int
    variables: Mapping[str, str] = field(default_factory=dict)

    def beside(self, ending: str) -> Path:
        """Return the path of a file next to the run folder."""
        return self.folder.with_name(f"{self.folder.name}.{ending}")


class RunProcess:
    """A running job; its output goes to the log next to its folder.

    Args:
        job: the job to run.
        where: the machine's name.

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
            *([] if imports_from_here() else ["-P"]),  # -m alone would import untrusted files there
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
                # its own session: only the ablation receives Ctrl-C and notifies its runs once
                start_new_session=True,
                env=_environment(job),
            )

    def poll(self) -> Outcome | None:
        """Return the outcome, or None while it runs."""
        code = self._process.poll()
        return None if code is None else self._outcome(code)

    def wait(self) -> Outcome:
        """Wait for the outcome; it can be interrupted from another thread, as Ray does."""
        while (outcome := self.poll()) is None:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        return outcome

    def stop(self) -> None:
        """Ask it to save and stop, once: a second signal would stop it immediately."""
        if not self._stopped and self._process.poll() is None:
            self._process.terminate()
        self._stopped = True

    def kill(self) -> None:
        """Stop it immediately; its last saved state stays."""
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


def _environment(job: Job) -> dict[str, str]:
    """Return the environment of a run; with `threads` 0 the run chooses the number of threads."""
    threads = {"OMP_NUM_THREADS": str(job.threads)} if job.threads else {}
    return {**os.environ, **job.variables, **threads}


def _reason(code: int, log: Path) -> str:
    """Return why a process failed, from its exit code and its last output."""
    if code < 0:
        known = -code in set(signal.Signals)  # real-time signals have no names
        name = signal.Signals(-code).name if known else f"signal {-code}"
        hint = " (the system does that when memory runs out)" if name == "SIGKILL" else ""
        return f"killed by {name}{hint}; {log} holds its output"
    text = log.read_text(encoding="utf-8", errors="replace").strip()
    _, found, message = text.rpartition("\nError: ") if "\nError: " in text else ("", "", text)
    if found or text.startswith("Error: "):
        return message.removeprefix("Error: ")
    last = text.splitlines()[-1] if text else "it printed nothing"
    return f"{last} (exit code {code}; {log} holds its output)"


def read_outcome(folder: Path) -> Outcome | None:
    """Return the outcome of the last process of a run folder, or None if none ended."""
    path = folder.with_name(f"{folder.name}.outcome.json")
    try:
        return _OUTCOME.validate_python(read_json(path)) if path.is_file() else None
    except (ValidationError, SpecError):  # another version wrote it, or it is damaged
        return None
