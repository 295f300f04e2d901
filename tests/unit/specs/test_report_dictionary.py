from pathlib import Path
from typing import Any

import pytest

from skinfw.errors import SpecError
from skinfw.specs.report_dictionary import convert_report, read_report
from skinfw.specs.spec import Spec, parse_spec

FOLDER = Path(__file__).parents[2] / "data" / "report_configs"
THREE = ("apparel_head_foot", "line", "segmentation_skin")
# inputs, losses, composite, conditional: what section 6.1.3 of the report says that each test varies
ANNEX: dict[str, tuple[tuple[str, ...], tuple[str, ...], str, bool | None]] = {
    "inputs_1": (THREE[:1], ("l1", "gan"), "none", True),
    "inputs_2": (THREE[:2], ("l1", "gan"), "none", True),
    "inputs_3": (THREE, ("l1", "gan"), "none", True),
    "losses_l1": (THREE[:2], ("l1",), "none", None),
    "losses_adversarial": (THREE[:2], ("gan",), "none", True),
    "losses_both": (THREE[:2], ("l1", "gan"), "none", True),
    "mask_without": (THREE, ("l1", "gan"), "none", True),
    "mask_with": (THREE, ("l1", "gan"), "skin", True),
    "discriminator_unconditioned": (THREE[:2], ("l1", "gan"), "none", False),
    "discriminator_conditioned": (THREE[:2], ("l1", "gan"), "none", True),
}


@pytest.fixture
def report() -> dict[str, Any]:
    return {
        "num_epochs": 12,
        "dataset_folder_path": "data/512/full_body/*",
        "img_size": [256, 512],
        "train_batch_size": 8,
        "test_batch_size": 4,
        "learning_rate_generator": 3e-4,
        "learning_rate_discriminator": 3e-5,
        "betas": [0.6, 0.99],
        "path_results": "results/512/full_body/",
        "num_workers": 3,
        "input_name_list": list(THREE),
        "add_discriminator_input_data": False,
        "adv_loss": True,
        "l1_loss": True,
        "mask": True,
    }


def converted(value: dict[str, Any]) -> Spec:
    return parse_spec(convert_report(value))


def errors(value: Any) -> list[str]:
    with pytest.raises(SpecError) as caught:
        convert_report(value, source="report.json")
    assert caught.value.source == "report.json"
    return list(caught.value.errors)


def test_all_dictionaries_of_the_annex_are_there() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(ANNEX)


@pytest.mark.parametrize("name", ANNEX)
def test_the_annex_converts_as_printed(name: str) -> None:
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    spec = converted(read_report(text, name))
    inputs, losses, composite, conditional = ANNEX[name]
    assert spec.data.input_names == inputs
    assert tuple(loss.name for loss in spec.losses) == losses
    assert spec.composite == composite
    if conditional is None:
        assert spec.discriminator is None
    else:
        assert spec.discriminator is not None
        assert spec.discriminator.config.model_dump()["conditional"] is conditional
        assert spec.discriminator.config.model_dump()["patch"] == 142
    assert spec.data.size == (512, 512)
    dataset = spec.data.dataset
    assert dataset.name == "folder"
    assert dataset.to_json()["root"] == "drive/MyDrive/ProjetS8/data/512/full_body/*"
    assert spec.data.test_fraction == 0.2
    assert spec.data.validation_fraction == 0
    assert spec.name in ("full_body", "full-body")
    assert (spec.training.epochs, spec.training.batch_size, spec.training.eval_batch_size) == (120, 32, 20)
    assert (spec.training.generator_lr, spec.training.discriminator_lr) == (2e-4, 2e-5)
    assert spec.training.betas == (0.5, 0.999)
    assert spec.data.num_workers == 0


def test_every_field_reaches_the_spec(report: dict[str, Any]) -> None:
    spec = converted(report)
    training = spec.training
    assert training.epochs == 12
    assert spec.data.dataset.config.model_dump()["root"] == Path("data/512/full_body/*")
    assert spec.data.size == (256, 512)
    assert (training.batch_size, training.eval_batch_size) == (8, 4)
    assert (training.generator_lr, training.discriminator_lr) == (3e-4, 3e-5)
    assert training.betas == (0.6, 0.99)
    assert spec.name == "full_body"
    assert spec.data.num_workers == 3
    assert spec.data.input_names == THREE
    assert spec.discriminator is not None
    assert spec.discriminator.config.model_dump()["conditional"] is False
    assert spec.composite == "skin"
    weights = {loss.name: loss.config.model_dump()["weight"] for loss in spec.losses}
    assert weights == {"l1": 100, "gan": 1}


def test_stray_blanks_and_other_spellings_of_inputs_are_put_right(report: dict[str, Any]) -> None:
    spaced = {f" {key} ": f" {item} " if isinstance(item, str) else item for key, item in report.items()}
    spaced[" input_name_list "] = [" apparel.head.foot", "line ", "segmentation-skin"]
    assert converted(spaced) == converted(report)
    spaced[" input_name_list "] = ["apparel-head-foot", "line", "segmentation\\_skin"]
    assert converted(spaced) == converted(report)


def test_only_the_four_fields_without_a_value_in_the_report_are_needed(report: dict[str, Any]) -> None:
    needed = ("num_epochs", "dataset_folder_path", "img_size", "input_name_list")
    assert errors({}) == [f"$.{field}: is required" for field in needed]
    spec = converted({field: report[field] for field in needed})
    assert spec.name == "report"
    assert spec.composite == "none"
    assert [loss.name for loss in spec.losses] == ["l1", "gan"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("results/a b/", "a_b"),
        ("C:\\results\\été 5", "t_5"),
        ("../..", "report"),
        ("", "report"),
        ("results/512/*", "512"),
        ("x" * 300, "x" * 100),
    ],
)
def test_the_run_is_called_after_the_last_folder_of_the_results(
    report: dict[str, Any], path: str, name: str
) -> None:
    assert converted({**report, "path_results": path}).name == name


def test_a_given_name_wins(report: dict[str, Any]) -> None:
    assert convert_report(report, name="mine")["name"] == "mine"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"num_epoch": 3}, "$.num_epoch: unknown field; did you mean 'num_epochs'?"),
        ({"num_epochs": 0}, "$.num_epochs: must be at least 1 (found 0)"),
        ({"img_size": [512]}, "$.img_size[1]: is required"),
        ({"input_name_list": ["apparel_head_foot", "lin"]}, "did you mean 'line'?"),
        ({"input_name_list": "line"}, '$.input_name_list: must be a list (found "line")'),
        ({"input_name_list": [3]}, "$.input_name_list[0]: must be"),
        ({"adv_loss": False, "l1_loss": False}, "$.l1_loss: adv_loss and l1_loss are both off"),
        (
            {"input_name_list": ["apparel_head_foot"]},
            "$.mask: mask needs segmentation_skin in input_name_list",
        ),
        ({"betas ": [0.5, 0.9]}, "duplicate field, with"),
        ({3: 4}, '$["3"]: unknown field'),
    ],
)
def test_an_error_is_told_by_the_reports_own_field(
    report: dict[str, Any], change: dict[Any, Any], told: str
) -> None:
    assert told in "\n".join(errors({**report, **change}))


def test_all_errors_are_told_at_once(report: dict[str, Any]) -> None:
    told = errors({**report, "num_epochs": -1, "maks": True, "l1_loss": False, "adv_loss": False})
    assert [line.split(":")[0] for line in told] == ["$.num_epochs", "$.l1_loss", "$.maks"]


def test_what_is_no_dictionary_is_told() -> None:
    assert errors([1]) == ["$: must be an object (found [1])"]


def test_json_and_python_are_read() -> None:
    expected = {"num_epochs": 1, "img_size": [5, 6], "mask": True}
    assert read_report('{"num_epochs": 1, "img_size": [5, 6], "mask": true}', "x") == expected
    text = "config_file = {\n'num_epochs': 1,  # one\n'img_size': (5, 6), 'mask': True,\n}"
    assert read_report(text, "x") == {**expected, "img_size": (5, 6)}
    assert read_report('```\n{"mask": True}\n```\n', "x") == {"mask": True}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "neither JSON (Expecting value at line 1, column 1) nor a Python dictionary ("),
        ('{"mask": True', "was never closed at line 1"),
        ('{"mask": open("x")}', "it contains something other than"),
        ('{"mask": mask}', "it contains something other than"),
        ("{[]: 1}", "it contains something other than"),
        ('{"mask": True, "mask ": False}', "duplicate field 'mask'"),
        ('{"mask": true, "mask": false}', "duplicate key 'mask'"),
        ('{"betas": [NaN, 1]}', "NaN is not JSON"),
        ("[" * 10_000 + "]" * 10_000, "nested too deeply"),
        ("(" * 10_000 + ")" * 10_000, "nor a Python dictionary ("),
        ("-" * 100_000 + "1", "nor a Python dictionary ("),
        ("\0", "nor a Python dictionary ("),
    ],
)
def test_what_cannot_be_read_is_told(text: str, told: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_report(text, "report.json")
    assert told in str(caught.value)
