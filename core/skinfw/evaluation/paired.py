"""Differences per image, and whether they are clear. Light: no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from skinfw.components.direction import Direction, is_better
from skinfw.evaluation.bootstrap import DRAWS, LEVEL, MIN_IMAGES, percentile_interval, resampled_means

Verdict = Literal["better", "worse", "no clear difference"]

UNCLEAR: Verdict = "no clear difference"


@dataclass(frozen=True)
class Difference:
    """The difference of a metric between a variant and another one, over the same images.

    A variant is a trained generator, a baseline, or a variant of an ablation.

    Attributes:
        mean: mean difference over the images.
        reference: mean value of the other variant over the same images.
        low: lower end of the interval; its level is 95 %, or higher for one of several comparisons.
        high: upper end of the interval.
        p: two-sided: twice the fraction of resamples with a mean of 0 or on the other side, times the
            number of comparisons, at most 1.
        images: number of images with a value in every run of both.
    """

    mean: float
    reference: float
    low: float
    high: float
    p: float
    images: int

    def verdict(self, direction: Direction) -> Verdict:
        """Return whether the variant is better or worse than the other one at both ends of the interval.

        For a metric that is best near 0, both ends can be worse though the interval contains 0: not clear.
        """
        ends = [self.reference + end for end in (self.low, self.high)]
        if all(is_better(end, self.reference, direction) for end in ends):
            return "better"
        contains_0 = self.low <= 0 <= self.high
        if not contains_0 and all(is_better(self.reference, end, direction) for end in ends):
            return "worse"
        return UNCLEAR


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


def paired_difference(
    variant: Mapping[str, float], reference: Mapping[str, float], comparisons: int = 1
) -> Difference | None:
    """Compare two variants per image with a paired bootstrap (percentile interval).

    Images are drawn with replacement, each with the difference of its two values, `DRAWS` times.

    Args:
        variant: values by image name.
        reference: the same for the reference variant.
        comparisons: the number of comparisons of which this one was chosen by its result. The interval is
            widened and p multiplied accordingly (Bonferroni).

    Returns:
        variant minus reference; None if they share fewer than `MIN_IMAGES` images.
    """
    shared = sorted(variant.keys() & reference.keys())
    if len(shared) < MIN_IMAGES:
        return None
    differences = np.array([variant[name] - reference[name] for name in shared])
    means = resampled_means(differences)
    mean = float(differences.mean())
    low, high = percentile_interval(means, 1 - (1 - LEVEL) / comparisons)
    other_side = np.count_nonzero(means <= 0 if mean > 0 else means >= 0)
    # the data themselves count as one draw, so that p is never 0 (Davison and Hinkley 1997, section 4.2.3)
    p = min(1.0, comparisons * 2 * (int(other_side) + 1) / (DRAWS + 1))
    return Difference(mean, float(np.mean([reference[name] for name in shared])), low, high, p, len(shared))
