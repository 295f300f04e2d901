from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from skinfw.evaluation.bootstrap import DRAWS, MIN_IMAGES, difference_interval, mean_interval
from skinfw.evaluation.paired import Difference, image_means, paired_difference


def test_an_image_counts_where_every_run_has_a_value() -> None:
    runs = [{"a": 1.0, "b": 2.0, "c": None}, {"b": 4.0, "a": 2.0, "c": 1.0}]
    assert image_means(runs) == {"a": 1.5, "b": 3.0}
    assert image_means([]) == {}


@pytest.mark.parametrize("shift", [0.0, 0.4, -1.0])
def test_the_interval_is_scipys_paired_percentile_bootstrap(shift: float) -> None:
    source = np.random.default_rng(5)
    reference = source.normal(20.0, 3.0, 60)
    variant = reference + source.normal(shift, 1.0, 60)
    names = [f"p{index}" for index in range(60)]
    found = paired_difference(
        dict(zip(reversed(names), variant[::-1], strict=True)), dict(zip(names, reference, strict=True))
    )
    assert found is not None
    expected = stats.bootstrap(
        (variant, reference),
        lambda one, other, axis: np.mean(one - other, axis=axis),
        paired=True,
        n_resamples=DRAWS,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(7),
    )
    width = expected.confidence_interval.high - expected.confidence_interval.low
    assert found.images == 60
    assert found.mean == pytest.approx(np.mean(variant - reference), rel=1e-12)
    assert found.low == pytest.approx(expected.confidence_interval.low, abs=0.05 * width)
    assert found.high == pytest.approx(expected.confidence_interval.high, abs=0.05 * width)
    side = expected.bootstrap_distribution
    p = 2 * min(np.mean(side <= 0), np.mean(side >= 0))
    assert found.p == pytest.approx(p, abs=0.03)


def test_images_are_paired_by_name_and_only_shared_ones_count() -> None:
    variant = {name: place + 1.0 for place, name in enumerate("abcdef")}
    reference = {name: float(place) for place, name in reversed([*enumerate("abcdef")])}
    found = paired_difference({**variant, "x": 99.0}, {**reference, "y": -99.0})
    assert found is not None
    assert (found.mean, found.low, found.high, found.images) == (1.0, 1.0, 1.0, 6)
    # no draw is on the other side; the data count as one draw of 10,000 and one
    assert found.p == pytest.approx(2 / 10_001)
    assert paired_difference({"a": 1.0}, {"b": 1.0}) is None


def test_too_few_images_have_no_interval() -> None:
    # if all images are better, an exact test of their signs gives this p: only six can be below 0.05
    least = [stats.binomtest(count, count).pvalue for count in range(1, 8)]
    assert [p < 0.05 for p in least] == [count >= MIN_IMAGES for count in range(1, 8)]
    for count in range(1, 8):
        better = paired_difference(
            {str(each): each + 1.0 for each in range(count)}, {str(each): 0.0 for each in range(count)}
        )
        mean = mean_interval([float(each) for each in range(count)])
        assert mean is not None
        assert (mean.low is None, mean.high is None, better is None) == (count < MIN_IMAGES,) * 3
        assert (mean.mean, mean.images) == ((count - 1) / 2, count)


def test_equal_variants_do_not_differ_and_the_draws_are_the_same_again() -> None:
    same = {name: float(index) for index, name in enumerate("abcdef")}
    found = paired_difference(same, same)
    assert found is not None
    assert (found.mean, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)
    other = {name: value + index % 3 - 1 for index, (name, value) in enumerate(same.items())}
    assert paired_difference(other, same) == paired_difference(other, same)


def test_the_interval_of_a_mean_is_scipys_percentile_bootstrap() -> None:
    values = np.random.default_rng(3).gamma(2.0, 3.0, 40)
    found = mean_interval([*values.tolist(), None])
    assert found is not None
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=DRAWS, method="percentile", random_state=1
    ).confidence_interval
    assert (found.mean, found.images) == (pytest.approx(values.mean()), 40)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=0.02)
    assert mean_interval([None]) is None


@pytest.mark.parametrize(
    ("direction", "shift", "verdict"),
    [
        ("higher", 0.5, "better"), ("higher", -0.5, "worse"), ("higher", 0.0, "no clear difference"),
        ("lower", 0.5, "worse"), ("lower", -0.5, "better"), ("lower", 0.0, "no clear difference"),
        # the reference is 10 on the mean
        ("zero", -0.5, "better"), ("zero", 0.5, "worse"), ("zero", -20.0, "no clear difference"),
    ],
)  # fmt: skip
def test_better_and_worse_hold_at_both_ends_of_the_interval(
    direction: Any, shift: float, verdict: str
) -> None:
    reference = {str(index): 10.0 + index % 3 - 1 for index in range(12)}
    spread = [-0.2, -0.1, 0.0, 0.0, 0.1, 0.2] * 2
    variant = {name: reference[name] + shift + each for name, each in zip(reference, spread, strict=True)}
    found = paired_difference(variant, reference)
    assert found is not None and found.low < shift < found.high
    assert found.verdict(direction) == verdict


def test_a_difference_whose_interval_contains_0_is_not_clear() -> None:
    # a value of 0.5, and others from -0.6 to 0.6: both ends are farther from 0, but not all between them
    assert Difference(-0.5, 0.5, -1.1, 0.1, 1.0, 9).verdict("zero") == "no clear difference"
    assert Difference(-1.3, 0.5, -1.5, -1.1, 0.0, 9).verdict("zero") == "worse"


def test_the_interval_of_a_difference_of_two_groups_is_scipys_unpaired_bootstrap() -> None:
    source = np.random.default_rng(11)
    one, other = source.normal(3.0, 2.0, 30), source.normal(1.0, 1.0, 30)
    expected = stats.bootstrap(
        (one, other),
        lambda first, second, axis: np.mean(first, axis=axis) - np.mean(second, axis=axis),
        n_resamples=DRAWS, method="percentile", random_state=1,
    ).confidence_interval  # fmt: skip
    found = difference_interval(one.tolist(), other.tolist())
    assert found == pytest.approx((expected.low, expected.high), abs=0.03 * (expected.high - expected.low))
