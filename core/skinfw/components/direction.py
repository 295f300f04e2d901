"""The direction in which a metric's values are better. Light: no torch."""

from __future__ import annotations

from typing import Literal

Direction = Literal["higher", "lower", "zero"]
"""Higher is better, lower is better, or nearer to 0 is better (a metric with a sign)."""

ARROWS = {"higher": "↑", "lower": "↓", "zero": "→ 0"}
"""Behind the name of a metric."""

BETTER = {"higher": "higher is better", "lower": "lower is better", "zero": "nearer to 0 is better"}


def badness(value: float, direction: Direction) -> float:
    """Return a number that is smaller for a better value.

    Example:
        >>> min([-3.0, 2.0, 4.0], key=lambda value: badness(value, "zero"))
        2.0
    """
    if direction == "zero":
        return abs(value)
    return -value if direction == "higher" else value


def is_better(value: float, other: float, direction: Direction) -> bool:
    """Return whether ``value`` is better than ``other``."""
    return badness(value, direction) < badness(other, direction)
