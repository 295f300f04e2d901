"""The metric that chooses the best checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from skinfw.components.direction import Direction, is_better


@dataclass(frozen=True)
class Monitor:
    """The metric that chooses the best checkpoint, fixed for the whole run when it starts.

    Attributes:
        metric: the metric, ``region/name``.
        direction: whether more, less or nearer to 0 is better.
    """

    metric: str
    direction: Direction

    def better(self, value: float, other: float) -> bool:
        """Return whether ``value`` is better than ``other``."""
        return is_better(value, other, self.direction)

    def to_json(self) -> dict[str, str]:
        """Return the monitor as stored in a checkpoint."""
        return asdict(self)


@dataclass(frozen=True)
class Best:
    """The evaluation that chose the best checkpoint.

    Attributes:
        metric: the monitor's metric.
        value: its value.
        step: training steps of the weights.
    """

    metric: str
    value: Annotated[float, Field(strict=True)]
    step: Annotated[int, Field(strict=True)]


_MONITOR: TypeAdapter[Monitor | None] = TypeAdapter(Monitor | None)
_BEST: TypeAdapter[Best | None] = TypeAdapter(Best | None)


def read_monitor(monitor: Any, best: Any) -> tuple[Monitor | None, Best | None]:
    """Return the monitor and the best evaluation that a checkpoint records.

    Raises:
        ValueError: one of them is damaged.
    """
    return _MONITOR.validate_python(monitor), _BEST.validate_python(best)
