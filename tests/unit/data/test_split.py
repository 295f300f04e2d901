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


@pytest.mark.parametrize("count", range(3, 40))
def test_small_sets_have_a_sample_on_each_side(count: int, caplog: pytest.LogCaptureFixture) -> None:
    split = split_names(NAMES[:count], 0.2, 0.1)
    sides = [split.test, split.validation, split.train]
    assert all(sides) and sum(map(len, sides)) == count
    # in the order of the hashes: test, validation, training
    places = [[position(name) for name in side] for side in sides]
    assert max(places[0]) < min(places[1]) and max(places[1]) < min(places[2])
    places = [position(name) for name in NAMES[:count]]
    fractions = [sum(low <= each < high for each in places) for low, high in ((0, 0.2), (0.2, 0.3), (0.3, 1))]
    if all(fractions):
        assert list(map(len, sides)) == fractions and not caplog.records
    else:
        assert f"only {count} samples: too few" in caplog.text


def test_a_side_that_nobody_asked_for_stays_empty() -> None:
    split = split_names(["a", "b"], 0.01, 0)
    assert split.validation == () and len(split.test) == len(split.train) == 1


def test_fractions_that_leave_no_training_still_do() -> None:
    split = split_names(NAMES[:3], 0.98, 0.01)
    assert len(split.test) == len(split.validation) == len(split.train) == 1


def test_groups_stay_together_in_small_sets() -> None:
    split = split_names([f"{who}/{view}" for who in "abc" for view in "123"], 0.2, 0.1, lambda name: name[0])
    for side in (split.train, split.validation, split.test):
        assert len(side) == 3 and len({name[0] for name in side}) == 1


def test_adding_samples_to_a_small_set_moves_none_from_training_to_test() -> None:
    for start in range(0, 200, 10):
        names = NAMES[start : start + 8]
        few = split_names(names[:4], 0.2, 0.1)
        many = split_names(names, 0.2, 0.1)
        if any(position(name) >= 0.3 for name in names[:4]):
            assert not set(few.train) & set(many.test)


def test_fewer_groups_than_sides_are_an_error() -> None:
    with pytest.raises(DataError, match="3 samples in 1 group that must stay together cannot fill 3 sides"):
        split_names(["a", "b", "c"], 0.2, 0.1, lambda name: "one")
    with pytest.raises(DataError, match=r"2 samples cannot fill 3 sides .* set validation_fraction to 0"):
        split_names(["a", "b"], 0.2, 0.1)
    with pytest.raises(DataError, match="1 sample cannot fill 2 sides"):
        split_names(["a"], 0.2, 0)


def test_names_need_not_be_valid_unicode() -> None:
    assert 0 <= position("caf\udce9") < 1
