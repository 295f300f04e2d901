"""Means over seeds, and differences per image. Light: no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from skinfw.evaluation.bootstrap import DRAWS, LEVEL, MIN_IMAGES, resampled_means


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


@dataclass(frozen=True)
class Difference:
    """The difference of a metric between a variant and another one, over the same images.

    Attributes:
        mean: mean difference over the images.
        reference: mean value of the other variant over the same images.
        low: lower end of the 95 % interval.
        high: upper end of the 95 % interval.
        p: two-sided: twice the fraction of resamples with a mean of 0 or on the other side, at most 1.
        images: number of images with a value in every run of both.
    """

    mean: float
    reference: float
    low: float
    high: float
    p: float
    images: int


def image_means(runs: Sequence[Mapping[str, float | None]]) -> dict[str, float]:
    """Return each image's mean over the runs, by name, for images with a value in every run.

    Example:
        >>> image_means([{"anna": 20.0, "ben": None}, {"anna": 22.0, "ben": 19.0}])
        {'anna': 21.0}
    """
    found = {}
    for name in runs[0] if runs else ():
        values = [run.get(name) for run in runs]
        known = [value for value in values if value is not None]
        if len(known) == len(values):
            found[name] = float(np.mean(known))
    return found


def paired_difference(variant: Mapping[str, float], reference: Mapping[str, float]) -> Difference | None:
    """Compare two variants per image with a paired bootstrap (percentile interval).

    Images are drawn with replacement, each with the difference of its two values, `DRAWS` times.

    Args:
        variant: values by image name.
        reference: the same for the reference variant.

    Returns:
        variant minus reference; None if they share fewer than `MIN_IMAGES` images.
    """
    shared = sorted(variant.keys() & reference.keys())
    if len(shared) < MIN_IMAGES:
        return None
    differences = np.array([variant[name] - reference[name] for name in shared])
    means = resampled_means(differences)
    mean = float(differences.mean())
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    other_side = np.count_nonzero(means <= 0 if mean > 0 else means >= 0)
    # the data themselves count as one draw, so that p is never 0 (Davison and Hinkley 1997, section 4.2.3)
    p = min(1.0, 2 * (int(other_side) + 1) / (DRAWS + 1))
    return Difference(
        mean, float(np.mean([reference[name] for name in shared])), float(low), float(high), p, len(shared)
    )
