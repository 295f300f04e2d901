"""Means over seeds. Light: no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """One metric of a variant over its seeds.

    Attributes:
        values: the runs' values, in the order of the seeds, without missing ones.
        mean: their mean.
        deviation: their standard deviation (divisor n - 1); None for fewer than two.
    """

    values: Sequence[float]
    mean: float
    deviation: float | None

    @classmethod
    def of(cls, values: Sequence[float | None]) -> Spread | None:
        """Return the spread of the existing values, or None if there are none.

        Example:
            >>> Spread.of([1.0, None, 3.0]).mean
            2.0
        """
        known = [value for value in values if value is not None]
        if not known:
            return None
        deviation = float(np.std(known, ddof=1)) if len(known) > 1 else None
        return cls(known, float(np.mean(known)), deviation)
