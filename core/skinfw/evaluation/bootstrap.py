"""Means with bootstrap intervals. Light: no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DRAWS = 10_000
"""Resamples of a bootstrap."""

LEVEL = 0.95
"""Fraction of the resamples inside an interval."""

BOOTSTRAP_SEED = 0

MIN_IMAGES = 6
"""Minimum number of images for an interval. Even the range of all n values contains the median of their
distribution with a probability of only ``1 - 2 ** (1 - n)``, which is below `LEVEL` for 5."""

_DRAWS_AT_A_TIME = 500
"""Limits the indices of a few thousand images to some megabytes."""

Array = npt.NDArray[np.float64]


def resampled_means(values: Array) -> Array:
    """Return the means of `DRAWS` resamples of values ``(N,)``, drawn with replacement, ``(DRAWS,)``."""
    source = np.random.default_rng(BOOTSTRAP_SEED)
    parts = [
        values[source.integers(0, len(values), (_DRAWS_AT_A_TIME, len(values)))].mean(axis=1)
        for _ in range(DRAWS // _DRAWS_AT_A_TIME)
    ]
    return np.concatenate(parts)


@dataclass(frozen=True)
class MeanInterval:
    """The mean of a value over images.

    Attributes:
        mean: the mean.
        low: lower end of the 95 % interval; None for fewer than `MIN_IMAGES`.
        high: upper end of the 95 % interval; None for fewer than `MIN_IMAGES`.
        images: number of images with a value.
    """

    mean: float
    low: float | None
    high: float | None
    images: int

    def apart_from(self, other: MeanInterval) -> bool:
        """Return whether both have intervals and these do not overlap."""
        if self.low is None or self.high is None or other.low is None or other.high is None:
            return False
        return self.low > other.high or self.high < other.low


def mean_interval(values: Sequence[float | None]) -> MeanInterval | None:
    """Return the mean over images with a bootstrap interval (percentiles of `DRAWS` resamples).

    Returns:
        None if no image has a value.

    Example:
        >>> mean_interval([1.0, None, 1.0, 1.0, 1.0, 1.0, 1.0])
        MeanInterval(mean=1.0, low=1.0, high=1.0, images=6)
    """
    known = np.array([value for value in values if value is not None], np.float64)
    if not len(known):
        return None
    mean = float(known.mean())
    if len(known) < MIN_IMAGES:
        return MeanInterval(mean, None, None, len(known))
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(resampled_means(known), [tail, 1 - tail])
    return MeanInterval(mean, float(low), float(high), len(known))
