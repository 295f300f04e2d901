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


def resampled_means(values: Array, source: np.random.Generator | None = None) -> Array:
    """Return the means of `DRAWS` resamples of values ``(N,)``, drawn with replacement, ``(DRAWS,)``.

    Args:
        values: the values.
        source: what the indices are drawn from; by default, the same each time.
    """
    source = np.random.default_rng(BOOTSTRAP_SEED) if source is None else source
    parts = [
        values[source.integers(0, len(values), (_DRAWS_AT_A_TIME, len(values)))].mean(axis=1)
        for _ in range(DRAWS // _DRAWS_AT_A_TIME)
    ]
    return np.concatenate(parts)


def percentile_interval(means: Array, level: float = LEVEL) -> tuple[float, float]:
    """Return the ends between which this fraction of the resampled means lies."""
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def difference_interval(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of the mean of ``one`` minus that of ``other``, over different images.

    An unpaired percentile bootstrap: each side is drawn separately. Each should have `MIN_IMAGES` values.
    """
    source = np.random.default_rng(BOOTSTRAP_SEED)
    means = [resampled_means(np.array(each, np.float64), source) for each in (one, other)]
    return percentile_interval(means[0] - means[1])


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
    return MeanInterval(mean, *percentile_interval(resampled_means(known)), len(known))
