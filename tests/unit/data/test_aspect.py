from __future__ import annotations

import math
from typing import Any

import pytest

from skinfw.data.aspect import fits, read_aspects, widened


def test_the_range_holds_all_sizes() -> None:
    assert widened(None, []) is None
    assert widened(None, [(128, 64)]) == (2.0, 2.0)
    assert widened((2.0, 2.0), [(100, 100), (300, 100)]) == (1.0, 3.0)


@pytest.mark.parametrize("value", [None, 3, [], [1.0], ["a", "b"], [math.nan, 1.0], [0, 1], [-1, 2], {}])
def test_a_damaged_record_is_the_trained_size(value: Any) -> None:
    assert read_aspects(value, (128, 64)) == (2.0, 2.0)


def test_a_record_is_read() -> None:
    assert read_aspects([1.5, 1.0], (128, 64)) == (1.0, 1.5)


def test_a_tenth_more_or_less_fits() -> None:
    assert fits((219, 100), (2.0, 2.0)) and fits((183, 100), (2.0, 2.0))
    assert not fits((222, 100), (2.0, 2.0)) and not fits((180, 100), (2.0, 2.0))
    assert fits((150, 100), (1.0, 2.0))
