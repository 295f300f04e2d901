"""How often a run logs, and how its learning rates decay. Light: no torch."""

from __future__ import annotations

import math

from skinfw.specs.run_spec import LoopSpec

LOG_RECORDS = 1000
"""Approximate number of logged training steps, evenly spread over the run."""


def log_interval(training: LoopSpec, total_steps: int) -> int:
    """Return the interval of logged steps.

    It is a multiple of ``steps_per_cycle``: only a step that trains every network has all losses.
    """
    steps = training.steps_per_cycle
    return max(1, total_steps // LOG_RECORDS // steps) * steps


def rate_factor(schedule: str, done: float) -> float:
    """Return the factor of the learning rates after a fraction ``done`` of the steps, in [0, 1].

    Example:
        >>> [round(rate_factor("cosine", done), 3) for done in (0, 0.25, 0.5, 1)]
        [1.0, 0.854, 0.5, 0.0]
    """
    if schedule == "cosine":
        return (1 + math.cos(math.pi * done)) / 2
    return 1.0 if schedule == "constant" or done <= 0.5 else 2 * (1 - done)
