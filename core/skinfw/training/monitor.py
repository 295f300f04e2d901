"""What the best checkpoint is chosen by."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter


@dataclass(frozen=True)
class Monitor:
    """The figure that chooses the best checkpoint: one for the whole run, fixed when the run starts.

    Attributes:
        metric: the figure, by ``region/name``.
        direction: whether more or less is better.
    """

    metric: str
    direction: Literal["higher", "lower"]

    def better(self, value: float, other: float) -> bool:
        """Return whether ``value`` is better than ``other``."""
        return value > other if self.direction == "higher" else value < other

    def to_json(self) -> dict[str, str]:
        """Return the monitor as a checkpoint holds it."""
        return asdict(self)


@dataclass(frozen=True)
class Best:
    """The evaluation that the best checkpoint was chosen by.

    Attributes:
        metric: the monitor's figure.
        value: its value.
        step: training steps behind the weights.
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
