"""Executing the runs of an ablation: in processes on this machine, or on a Ray cluster."""

from __future__ import annotations

import os
import platform
from abc import ABC, abstractmethod
from typing import Protocol

from skinfw.ablation.process import Job, Outcome, RunProcess
from skinfw.system.processes import cores


class Running(Protocol):
    """A run in progress."""

    def poll(self) -> Outcome | None:
        """Return its outcome, or None while it runs."""

    def stop(self) -> None:
        """Ask it to save and stop."""

    def kill(self) -> None:
        """Stop it immediately."""


class Engine(ABC):
    """Starts runs.

    Attributes:
        slots: maximum number of parallel runs; None leaves that to the engine.
        threads: CPU threads of a run whose spec does not set them; 0: as in the environment.
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
        """Release the engine's resources; none by default."""
        return None


class LocalEngine(Engine):
    """Processes on this machine.

    Args:
        jobs: parallel runs; each needs its own memory.
        threads: CPU threads of each; None: ``OMP_NUM_THREADS`` or, if not set, an equal part of the cores.
    """

    def __init__(self, jobs: int = 1, threads: int | None = None) -> None:
        self.slots = jobs
        own = 0 if "OMP_NUM_THREADS" in os.environ else max(1, cores() // jobs)
        self.threads = threads or own

    def start(self, job: Job) -> Running:
        """Start a process."""
        return RunProcess(job, platform.node())
