from __future__ import annotations

import hashlib

import pytest

from skinfw.data.split import position, split_names
from skinfw.errors import DataError

NAMES = [f"person-{index}" for index in range(2000)]


def test_position_is_the_hash_of_the_name() -> None:
    assert position("a") == pytest.approx(int(hashlib.sha256(b"a").hexdigest(), 16) / 2**256)


def test_every_name_is_on_one_side_in_its_order() -> None:
    split = split_names(NAMES, 0.2, 0.1)
    assert sorted([*split.train, *split.validation, *split.test]) == sorted(NAMES)
    assert list(split.train) == [name for name in NAMES if name in set(split.train)]


def test_shares_are_met_on_average() -> None:
    split = split_names(NAMES, 0.2, 0.1)
    # three standard deviations of a binomial of 2000
    assert abs(len(split.test) - 400) < 3 * (2000 * 0.2 * 0.8) ** 0.5
    assert abs(len(split.validation) - 200) < 3 * (2000 * 0.1 * 0.9) ** 0.5


def test_adding_samples_moves_no_old_one() -> None:
    few, many = split_names(NAMES[:500], 0.2, 0.1), split_names(reversed(NAMES), 0.2, 0.1)
    assert set(few.test) <= set(many.test)
    assert set(few.validation) <= set(many.validation)
    assert set(few.train) <= set(many.train)


def test_samples_of_one_group_are_on_one_side() -> None:
    names = [f"{person}/{view}" for person in range(300) for view in ("front", "back", "side")]
    split = split_names(names, 0.2, 0.1, lambda name: name.split("/")[0])
    sides = [{name.split("/")[0] for name in side} for side in (split.train, split.validation, split.test)]
    assert [len(side) for side in sides] == [
        len(split.train) // 3,
        len(split.validation) // 3,
        len(split.test) // 3,
    ]
    assert len(set.union(*sides)) == 300 == sum(map(len, sides))
    assert all(position(person) < 0.2 for person in sides[2])


def test_without_groups_it_goes_by_the_name() -> None:
    assert split_names(NAMES, 0.2, 0.1) == split_names(NAMES, 0.2, 0.1, lambda name: name)


def test_too_few_groups_are_told() -> None:
    with pytest.raises(
        DataError, match="none of the 3 samples, in 1 groups that stay together, falls to the"
    ):
        split_names(["a", "b", "c"], 0.2, 0.1, lambda name: "one")


def test_names_need_not_be_valid_unicode() -> None:
    assert 0 <= position("caf\udce9") < 1


def test_an_empty_side_is_told() -> None:
    with pytest.raises(DataError, match="none of the 1 samples falls to the"):
        split_names(["one"], 0.2, 0.1)
