from __future__ import annotations

import operator
import os

import pytest

from skinfw.errors import RunError
from skinfw.processes import CHUNK, cores, spread

# what another process is asked to do must be importable there, which this module is not
PROCESS = "__import__('os').getpid()"


def test_results_come_in_order() -> None:
    items = list(range(2 * CHUNK + 3))
    assert list(spread(operator.neg, items, 2)) == [-value for value in items]


def test_few_items_or_one_worker_start_no_process() -> None:
    assert set(spread(eval, [PROCESS] * (2 * CHUNK - 1), 4)) == {os.getpid()}
    assert set(spread(eval, [PROCESS] * (4 * CHUNK), 1)) == {os.getpid()}
    assert os.getpid() not in set(spread(eval, [PROCESS] * (2 * CHUNK), 2))


def test_a_process_that_dies_is_told() -> None:
    with pytest.raises(RunError, match="ended unexpectedly"):
        list(spread(os._exit, [3] * (2 * CHUNK), 2))


def test_cores_are_those_that_may_be_used() -> None:
    assert cores() == len(os.sched_getaffinity(0))
