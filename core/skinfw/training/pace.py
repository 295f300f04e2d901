"""How often a run writes something down, and how its learning rates fall. Light: no torch."""

from __future__ import annotations

from skinfw.specs.run_spec import LoopSpec

LOG_RECORDS = 1000
"""About this many training steps are logged, evenly spread over the run."""


def log_interval(training: LoopSpec, total_steps: int) -> int:
    """Return every how many steps one is logged.

    It is a multiple of ``steps_per_cycle``: only a step that trains every network has all losses to tell.
    """
    steps = training.steps_per_cycle
    return max(1, total_steps // LOG_RECORDS // steps) * steps


def rate_factor(schedule: str, done: float) -> float:
    """Return the factor of the learning rates when a fraction ``done`` of the steps, in [0, 1], is behind."""
    return 1.0 if schedule == "constant" or done <= 0.5 else 2 * (1 - done)
