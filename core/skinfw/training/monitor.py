"""What the best checkpoint is chosen by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal


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

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Monitor:
        """Return the monitor that `to_json` wrote."""
        return cls(**value)
