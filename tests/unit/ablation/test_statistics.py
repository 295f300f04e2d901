from __future__ import annotations

import pytest

from skinfw.ablation.statistics import Spread


def test_mean_and_deviation_counted_by_hand() -> None:
    spread = Spread.of([20.0, 22.0, None, 27.0])
    assert spread is not None
    assert spread.values == [20.0, 22.0, 27.0]
    assert spread.mean == 23.0
    # squared distances 9 + 1 + 16 over n - 1 = 2
    assert spread.deviation == pytest.approx(13**0.5, rel=1e-12)


def test_one_seed_has_no_deviation_and_none_no_mean() -> None:
    one = Spread.of([None, 3.5])
    assert one is not None
    assert (one.mean, one.deviation) == (3.5, None)
    assert Spread.of([None, None]) is None
