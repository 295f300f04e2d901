from typing import Any

import pytest

from skinfw.errors import SpecError, UserError
from skinfw.specs.overrides import apply_overrides, parse_assignments


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", 2),
        ("2e-4", 2e-4),
        ("[64, 64]", [64, 64]),
        ("null", None),
        ("true", True),
        ('"5"', "5"),
        ("pix2pix", "pix2pix"),
        ("data/a=b", "data/a=b"),
        ("", ""),
        ("[1,", "[1,"),
        ("NaN", "NaN"),
        ('{"a": 1, "a": 2}', '{"a": 1, "a": 2}'),
        ("[" * 10_000, "[" * 10_000),
    ],
)
def test_a_value_is_json_or_else_text(text: str, value: Any) -> None:
    assert parse_assignments([f"some.path={text}"]) == {"some.path": value}


@pytest.mark.parametrize("assignment", ["training.epochs", "=2", " =2", ""])
def test_an_assignment_without_path_or_sign_is_told(assignment: str) -> None:
    with pytest.raises(UserError, match="expected PATH=VALUE"):
        parse_assignments([assignment])


def test_values_are_set_by_path_in_a_copy() -> None:
    spec = {"training": {"epochs": 120}, "losses": [{"type": "l1"}, "gan"], "generator": "pix2pix"}
    changes = {
        "training.epochs": 2,
        "$.seed": 7,
        "losses[0].weight": 100,
        "losses.1.weight": 1,
        "generator.base_channels": 8,
        "data.dataset.count": 3,
    }
    assert apply_overrides(spec, changes, "spec.json") == {
        "training": {"epochs": 2},
        "seed": 7,
        "losses": [{"type": "l1", "weight": 100}, {"type": "gan", "weight": 1}],
        "generator": {"type": "pix2pix", "base_channels": 8},
        "data": {"dataset": {"count": 3}},
    }
    assert spec["training"] == {"epochs": 120}
    assert spec["losses"] == [{"type": "l1"}, "gan"]


def test_a_path_of_thousands_of_parts_is_told() -> None:
    with pytest.raises(SpecError, match=r"--set a\.a.*: 3000 parts; 100 are allowed"):
        apply_overrides({}, {".".join("a" * 3000): 1}, "spec.json")


def test_every_path_that_leads_nowhere_is_told() -> None:
    spec = {"losses": ["l1"], "seed": 1}
    with pytest.raises(SpecError) as caught:
        apply_overrides(spec, {"losses.1.weight": 2, "losses.first": 2, "seed.x": 1}, "spec.json")
    told = "\n".join(caught.value.errors)
    assert len(caught.value.errors) == 3
    assert "--set losses.1.weight: the list has 1 entries" in told
    assert "'first' is not an index from 0" in told
    assert "--set seed.x: 1 has no part 'x'" in told
