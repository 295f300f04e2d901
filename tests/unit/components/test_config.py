from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError

from skinfw.ablation.file import ablation_schema
from skinfw.components.config import ComponentConfig, LossConfig, SizeRequirement
from skinfw.components.outside import SpecPath
from skinfw.components.registry import KINDS, installed
from skinfw.components.strict_model import nearest
from skinfw.doctor.config import DoctorConfig
from skinfw.specs.schema import segmentation_schema, spec_schema


class Inner(ComponentConfig):
    count: int = Field(default=1, ge=1, description="how many")


class Outer(ComponentConfig):
    inner: Inner = Field(default_factory=Inner, description="nested")
    ratio: float = Field(default=0.5, description="fraction")


class Place(ComponentConfig):
    root: SpecPath = Field(description="folder")


def test_the_nearest_name_is_given_only_when_it_is_near() -> None:
    assert nearest("epoch", ["epochs", "steps"]) == "; did you mean 'epochs'?"
    assert nearest("zzz", ["epochs", "steps"]) == ""
    assert nearest("epochs", []) == ""


def test_unknown_fields_are_told_with_the_known_ones_of_their_own_level() -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"inner": {"cuont": 2}, "ratoi": 1, "{brace}": 1})
    told = {error["loc"]: error["msg"] for error in caught.value.errors()}
    assert told[("inner", "cuont")] == "unknown field; did you mean 'count'? (allowed: count)"
    assert told[("ratoi",)] == "unknown field; did you mean 'ratio'? (allowed: inner, ratio)"
    assert told[("{brace}",)] == "unknown field (allowed: inner, ratio)"


def test_configurations_cannot_be_changed_and_hold_finite_numbers() -> None:
    config = Outer()
    with pytest.raises(ValidationError):
        config.ratio = 1.0
    with pytest.raises(ValidationError, match="finite"):
        Outer.model_validate({"ratio": float("inf")})


class Numbers(ComponentConfig):
    count: int | None = Field(default=None, ge=1, description="how many")
    rates: tuple[float, float] = Field(default=(0.0, 1.0), description="two shares")
    flag: bool = Field(default=False, description="yes or no")
    either: bool | int = Field(default=False, description="yes, no, or how many")


def test_booleans_are_no_numbers() -> None:
    with pytest.raises(ValidationError) as caught:
        Numbers.model_validate({"count": False, "rates": [0.5, True], "flag": 3, "either": "x"})
    told = [(error["loc"], error["msg"]) for error in caught.value.errors()]
    assert told[:2] == [(("count",), "expected a number"), (("rates", 1), "expected a number")]
    assert {loc[0] for loc, _ in told[2:]} == {"flag", "either"}
    with pytest.raises(ValidationError, match="expected a number"):
        Numbers(count=True)
    assert Numbers(flag=True, either=True).either is True


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("photos\udcff", "the path is not UTF-8"),
        ("photos\0", "the path contains a zero byte"),
        ("~nobody-of-this-name/photos", "the home folder of ~nobody-of-this-name is unknown"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(path: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Place.model_validate({"root": path})


def test_a_path_counts_from_the_specs_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def resolved(text: str, folder: Path | None = tmp_path) -> Path:
        return Place.model_validate({"root": text}, context={"folder": folder}).root

    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("SKINFW_TEST_FOLDER", "/data")
    assert resolved("photos") == tmp_path / "photos"
    assert resolved("../photos/*") == tmp_path.parent / "photos" / "*"
    assert resolved("/photos") == Path("/photos")
    assert resolved("~/photos") == Path("/home/someone/photos")
    assert resolved("$SKINFW_TEST_FOLDER/a") == Path("/data/a")
    assert resolved("${SKINFW_TEST_FOLDER}/a") == Path("/data/a")
    assert resolved("photos", None) == Path("photos")
    with pytest.raises(ValidationError, match="SKINFW_TEST_UNSET is not set"):
        resolved("$SKINFW_TEST_UNSET/a")


@pytest.mark.parametrize(
    ("requirement", "size", "words"),
    [
        (SizeRequirement(minimum=32), (16, 64), "at least 32 pixels"),
        (SizeRequirement(maximum=32), (16, 64), "at most 32 pixels"),
        (SizeRequirement(multiple_of=8), (64, 60), "multiples of 8, for instance 64x64"),
        (SizeRequirement(multiple_of=8), (3, 8), "for instance 8x8"),
        (SizeRequirement(exactly=(64, 32)), (32, 64), "built for 64x32 only"),
    ],
)
def test_a_size_that_does_not_fit_is_told(
    requirement: SizeRequirement, size: tuple[int, int], words: str
) -> None:
    assert words in str(requirement.error(size))


def test_a_size_that_fits_has_no_error() -> None:
    assert SizeRequirement(minimum=16, multiple_of=16, maximum=64).error((64, 16)) is None


def test_two_requirements_are_met_by_the_sizes_that_meet_each() -> None:
    one, other = SizeRequirement(minimum=4, multiple_of=4), SizeRequirement(8, 6, maximum=50)
    both = one.both(other)
    assert both == other.both(one) == SizeRequirement(minimum=8, multiple_of=12, maximum=50)
    sides = range(1, 60)
    assert [side for side in sides if not both.error((side, side))] == [
        side for side in sides if not one.error((side, side)) and not other.error((side, side))
    ]
    assert one.both(SizeRequirement(exactly=(16, 24))).exactly == (16, 24)


@pytest.mark.parametrize("kind", KINDS)
def test_every_registered_parameter_is_described(kind: str) -> None:
    registry = installed()
    for name in registry.names(kind):
        config = registry.config_class(kind, name)
        assert config.__doc__
        silent = [field for field, info in config.model_fields.items() if not info.description]
        assert not silent, f"{kind} {name}: {silent}"


def test_adversarial_losses_say_that_they_train_a_discriminator() -> None:
    configs = {name: installed().config_class("loss", name) for name in installed().names("loss")}
    assert all(issubclass(config, LossConfig) for config in configs.values())
    adversarial = {name for name, config in configs.items() if getattr(config, "adversarial", None)}
    assert adversarial == {"gan", "lsgan", "hinge", "wgan_gp"}
    judged = {name for name, config in configs.items() if getattr(config, "judged", None)}
    assert judged == adversarial | {"feature_matching"}


class Loose(ComponentConfig):
    weights: dict[str, float] = Field(default_factory=dict, description="by name")
    pairs: tuple[tuple[str, Annotated[float, Field(ge=0)]], ...] = Field(default=(), description="pairs")
    nested: dict[str, Inner | None] = Field(default_factory=dict, description="models")
    version: Literal[1] = Field(default=1, description="a number")
    flag: bool | None = Field(default=None, description="yes or no")
    text: str | int = Field(default="", description="either")
    jobs: Annotated[int, Field(ge=0)] | Literal["auto"] = Field(default=0, description="how many")


@pytest.mark.parametrize(
    ("value", "place", "words"),
    [
        ({"weights": {"a": True}}, ("weights", "a"), "expected a number"),
        ({"weights": {"a": "1"}}, ("weights", "a"), "expected a number"),
        ({"pairs": [["x", 1], ["y", False]]}, ("pairs", 1, 1), "expected a number"),
        ({"nested": {"a": {"count": True}}}, ("nested", "a", "count"), "expected a number"),
        ({"version": True}, ("version",), "expected a number"),
        ({"flag": 1}, ("flag",), "expected true or false"),
        ({"flag": "yes"}, ("flag",), "expected true or false"),
        ({"text": True}, ("text",), "expected a string or a number"),
        ({"jobs": True}, ("jobs",), "expected 'auto' or a number"),
        ({"jobs": "4"}, ("jobs",), "expected 'auto' or a number"),
        ({"jobs": "-4"}, ("jobs",), "expected 'auto' or a number"),
    ],
)
def test_nothing_is_converted_at_any_depth(value: Any, place: tuple[Any, ...], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Loose.model_validate(value)
    assert [(error["loc"], error["msg"]) for error in caught.value.errors()] == [(place, words)]


def test_what_fits_is_taken_as_it_is() -> None:
    given = {"weights": {"a": 1, "b": 0.5}, "pairs": [["x", 2]], "flag": True, "text": "1"}
    assert Loose.model_validate(given).text == "1"
    assert Loose.model_validate({"text": 5, "flag": None}).text == 5
    assert [Loose.model_validate({"jobs": jobs}).jobs for jobs in ("auto", 4)] == ["auto", 4]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({f"key{number}": 1 for number in range(100_000)}, "100,000 entries; at most 1,000 are allowed"),
        ({"pairs": [["x", 1]] * 1001}, "1,001 entries; at most 1,000 are allowed"),
        ({"nested": {"a": {"count": 10**4000}}}, "out of range"),
        ({"weights": {"a": -1e18}}, "out of range"),
        ({"text": "x" * 100_000}, "a string of 100,000 characters; at most 10,000 are allowed"),
    ],
)
def test_what_is_larger_than_any_spec_is_refused_at_once(value: Any, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Loose.model_validate(value)
    assert [error["msg"] for error in caught.value.errors()] == [words]


def test_very_long_words_are_compared_with_none() -> None:
    assert nearest("epoch" * 50_000, ["epochs", "steps"]) == ""


def integers(schema: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the whole numbers of a JSON Schema that are not one fixed value."""
    if isinstance(schema, dict):
        if schema.get("type") == "integer" and not {"const", "enum"} & set(schema):
            yield path, schema
        for key, part in schema.items():
            yield from integers(part, f"{path}/{key}")
    elif isinstance(schema, list):
        for part in schema:
            yield from integers(part, path)


def test_every_whole_number_has_an_upper_bound() -> None:
    schemas = [spec_schema(), segmentation_schema(), ablation_schema(), DoctorConfig.model_json_schema()]
    found = [pair for schema in schemas for pair in integers(schema, schema.get("title", ""))]
    assert len(found) > 50
    assert [path for path, field in found if not {"maximum", "exclusiveMaximum"} & set(field)] == []
