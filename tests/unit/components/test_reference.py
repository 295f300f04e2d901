from typing import Annotated

import pytest
from pydantic import Field, ValidationError

from skinfw.components.config import ComponentConfig
from skinfw.components.reference import ComponentSpec, Slot, numbered, use, use_default, use_defaults
from skinfw.errors import RegistryError, SpecError


class Holder(ComponentConfig):
    loss: Annotated[ComponentSpec, Slot("loss")] = Field(description="a loss")


def test_a_bare_name_is_short_for_an_object() -> None:
    short, long = Holder.model_validate({"loss": "l1"}), Holder.model_validate({"loss": {"type": "l1"}})
    assert short == long
    assert short.loss.kind == "loss"
    assert short.loss.name == "l1"


def test_parameters_reach_the_configuration_and_json() -> None:
    holder = Holder.model_validate({"loss": {"type": "l1", "weight": 3}})
    expected = {"type": "l1", "weight": 3.0, "region": "image", "warmup": 0}
    assert holder.model_dump(mode="json") == {"loss": expected}
    assert Holder.model_validate(holder.model_dump(mode="json")) == holder


def test_use_gives_what_a_slot_takes() -> None:
    reference = use("loss", "l1", weight=2)
    assert Holder(loss=reference).loss is reference
    with pytest.raises(SpecError, match="unknown field; did you mean 'weight'"):
        use("loss", "l1", wieght=2)
    with pytest.raises(RegistryError, match="did you mean 'l1'"):
        use("loss", "l1_")


def test_what_is_silent_takes_what_the_manifest_marks_as_default() -> None:
    assert use_default("segmenter") == use("segmenter", "deepfashion")
    assert [each.name for each in use_defaults("generator", "baselines")] == ["opencv_inpaint", "mean_color"]
    with pytest.raises(RegistryError, match="no installed loss is the default; name one"):
        use_default("loss")


def test_components_of_one_type_are_numbered() -> None:
    first, second, other = use("loss", "l1"), use("loss", "l1", weight=2), use("loss", "mse")
    found = numbered([first, other, second, first])
    assert list(found.items()) == [("l1", first), ("mse", other), ("l1_2", second), ("l1_3", first)]


def test_a_number_never_takes_the_name_of_another() -> None:
    config = use("loss", "l1").config
    references = [ComponentSpec("loss", name, config) for name in ("l1_2", "l1", "l1")]
    assert list(numbered(references)) == ["l1_2", "l1", "l1_3"]


@pytest.mark.parametrize("value", [1, None, [], {}, {"type": 3}, {"weight": 1}])
def test_what_is_no_component_is_told(value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        Holder.model_validate({"loss": value})
    (error,) = caught.value.errors()
    assert error["msg"] == 'expected a component: a name, or an object like {"type": "name"}'


def test_a_component_of_another_kind_is_told() -> None:
    with pytest.raises(ValidationError, match="expected a loss, not the generator 'pix2pix'"):
        Holder(loss=use("generator", "pix2pix"))


def test_errors_inside_a_component_have_its_place() -> None:
    with pytest.raises(ValidationError) as caught:
        Holder.model_validate({"loss": {"type": "l1", "weight": -1, "wieght": 1}})
    assert [error["loc"] for error in caught.value.errors()] == [("loss", "weight"), ("loss", "wieght")]
