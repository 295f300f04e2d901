"""Where the runs of an ablation are made: in processes on this machine, or on a Ray cluster."""

from __future__ import annotations

import os
import platform
from abc import ABC, abstractmethod
from typing import Protocol

from skinfw.ablation.process import Job, Outcome, RunProcess
from skinfw.system.processes import cores


class Running(Protocol):
    """A run at work."""

    def poll(self) -> Outcome | None:
        """Return what became of it, or None while it is at work."""

    def stop(self) -> None:
        """Ask it to save and end."""

    def kill(self) -> None:
        """End it at once."""


class Engine(ABC):
    """Starts runs.

    Attributes:
        slots: how many runs are at work at a time; None leaves that to the engine.
        threads: CPU threads of a run whose spec leaves them open; 0: as the environment says.
    """

    slots: int | None
    threads: int

    @abstractmethod
    def start(self, job: Job) -> Running:
        """Start a run.

        Raises:
            RunError: its folder cannot be written to.
        """

    def close(self) -> None:
        """Give back what the engine holds; nothing, unless a subclass says so."""
        return None


class LocalEngine(Engine):
    """Processes on this machine.

    Args:
        jobs: runs side by side; each takes its own memory.
        threads: CPU threads of each; None takes ``OMP_NUM_THREADS`` or, where it is not set, divides the
            cores.
    """

    def __init__(self, jobs: int = 1, threads: int | None = None) -> None:
        self.slots = jobs
        fraction = 0 if "OMP_NUM_THREADS" in os.environ else max(1, cores() // jobs)
        self.threads = threads or fraction

    def start(self, job: Job) -> Running:
        """Start a process."""
        return RunProcess(job, platform.node())
