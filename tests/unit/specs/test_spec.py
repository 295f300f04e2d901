import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skinfw.components.config import GeneratorConfig, Size, SizeRequirement
from skinfw.components.reference import ComponentSpec, use
from skinfw.components.registry import Registry
from skinfw.errors import SpecError
from skinfw.specs.spec import Spec, load_spec, parse_spec


@pytest.fixture
def value() -> dict[str, Any]:
    return {
        "name": "mask",
        "data": {"dataset": {"type": "folder", "root": "data/full_body"}, "size": [512, 512]},
        "generator": "pix2pix",
        "composite": "skin",
        "discriminator": {"type": "patchgan", "patch": 142},
        "losses": [{"type": "l1", "weight": 100}, "gan"],
        "training": {"epochs": 120},
    }


def errors(value: Any) -> list[str]:
    with pytest.raises(SpecError) as caught:
        parse_spec(value, source="spec.json")
    assert caught.value.source == "spec.json"
    return list(caught.value.errors)


def changed(value: dict[str, Any], path: str, new: Any) -> dict[str, Any]:
    value = copy.deepcopy(value)
    holder = value
    *parts, last = path.split(".")
    for part in parts:
        holder = holder[part]
    holder[last] = new
    return value


def test_the_reports_values_are_the_defaults(value: dict[str, Any]) -> None:
    spec = parse_spec(value)
    assert spec.data.input_names == ("apparel_head_foot", "line", "segmentation_skin")
    assert spec.data.test_fraction == 0.2
    assert spec.training.batch_size == 32
    assert spec.training.eval_batch_size == 20
    assert (spec.training.generator_lr, spec.training.discriminator_lr) == (2e-4, 2e-5)
    assert spec.training.betas == (0.5, 0.999)
    assert spec.metrics
    assert spec.baselines


def test_the_filled_spec_is_json_and_gives_itself_again(value: dict[str, Any], tmp_path: Path) -> None:
    spec = parse_spec({"$schema": "spec.schema.json", **value}, folder=tmp_path)
    filled = json.loads(json.dumps(spec.to_json()))
    assert "$schema" not in filled
    dataset = {"type": "folder", "root": str(tmp_path / "data/full_body"), "duplicate_distance": 4}
    assert filled["data"]["dataset"] == dataset
    assert filled["generator"]["type"] == "pix2pix"
    assert filled["discriminator"]["patch"] == 142
    assert parse_spec(filled, folder=tmp_path / "elsewhere").to_json() == filled


def test_a_spec_made_in_python_is_the_same(value: dict[str, Any]) -> None:
    made = {
        **value,
        "generator": use("generator", "pix2pix"),
        "losses": (use("loss", "l1", weight=100), "gan"),
    }
    assert parse_spec(made) == parse_spec(value)


@pytest.mark.parametrize(
    ("path", "new", "told"),
    [
        ("training.epochs", 0, "$.training.epochs: must be at least 1 (found 0)"),
        ("training.epochs", "x", '$.training.epochs: expected a number (found "x")'),
        ("training.epochs", True, "$.training.epochs: expected a number (found true)"),
        ("data.size", [512, True], "$.data.size[1]: expected a number (found true)"),
        (
            "generator",
            "opencv_inpaint",
            "$.generator: 'opencv_inpaint' is not trainable; name it in $.baselines",
        ),
        ("generator", "mean_color", "$.data.inputs: the generator 'mean_color' needs face, mask"),
        ("generator", "mean_color", "$.generator: 'mean_color' is not trainable"),
        ("baselines", ["mean_color", "pix2pix"], "$.baselines[1]: 'pix2pix' is trainable"),
        ("training.epochs", None, "$.training: give either epochs or steps"),
        ("training.steps", 5, "$.training.steps: give either epochs or steps"),
        (
            "training.betas",
            [0.5, 1],
            "$.training.betas: both must be at least 0 and below 1 (found [0.5, 1])",
        ),
        ("training.betas", [0.5], "$.training.betas[1]: is required"),
        ("training.betas", 0.5, "$.training.betas: must be a list (found 0.5)"),
        (
            "training.epoch",
            5,
            "$.training.epoch: unknown field; did you mean 'epochs'? (allowed: epochs, steps",
        ),
        (
            "training.schedule",
            "liner",
            "'constant', 'linear' or 'cosine'; did you mean 'linear'? (found \"liner\")",
        ),
        ("training.generator_lr", float("inf"), "$.training.generator_lr: must be a finite number"),
        ("data.size", [512], "$.data.size[1]: is required"),
        ("data.size", [512, 0], "$.data.size[1]: must be at least 1 (found 0)"),
        ("data.size", [512, 512, 3], "$.data.size: must have at most 2 items"),
        ("data.inputs", ["line"], "$.data.inputs: apparel_head_foot must be among the inputs"),
        ("data.inputs", ["apparel_head_foot"] * 2, "$.data.inputs: duplicate input"),
        ("data.inputs", ["apparel_head_foot", "lines"], "$.data.inputs[1]: unknown input 'lines'"),
        ("data.inputs", ["apparel_head_foot", "lines"], "did you mean 'line'?"),
        ("data.test_fraction", 0.95, "$.data: test_fraction and validation_fraction leave nothing"),
        (
            "data.validation_fraction",
            0.8,
            "$.data.validation_fraction: test_fraction and validation_fraction",
        ),
        (
            "data.dataset",
            "foldr",
            "$.data.dataset: unknown dataset 'foldr'; did you mean 'folder'? (installed: ",
        ),
        ("data.dataset", "folder", "$.data.dataset.root: is required"),
        ("data", [], "$.data: must be an object (found [])"),
        (
            "generator",
            3,
            '$.generator: expected a component: a name, or an object like {"type": "name"} (found 3',
        ),
        (
            "generator",
            {"type": "pix2pix", "depht": 3},
            "$.generator.depht: unknown field; did you mean 'depth'?",
        ),
        ("losses", [], "$.losses: must have at least 1 item"),
        ("losses", "l1", '$.losses: must be a list (found "l1")'),
        ("losses", ["gan", {"type": "l1", "weight": -1}], "$.losses[1].weight: must be at least 0"),
        ("metrics", ["psnr", "sim"], "$.metrics[1]: unknown metric 'sim'; did you mean 'ssim'?"),
        (
            "name",
            "../up",
            "$.name: must match pattern '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$' (found \"../up\"",
        ),
        ("name", 5, "$.name: must be a string (found 5)"),
        ("seed", -1, "$.seed: must be at least 0 (found -1)"),
        ("skinfw", 2, "$.skinfw: must be 1 (found 2)"),
        ("two words", 1, '$["two words"]: unknown field'),
        ("discriminator", None, "$.discriminator: the loss 'gan' needs one; name a discriminator"),
        ("losses", ["l1"], "$.discriminator: no loss trains it; add an adversarial loss or remove it"),
        ("composite", "skni", "'protect'; did you mean 'skin'? (found \"skni\")"),
        ("composite_margin", 1, "$.composite_margin: unknown field"),
        ("data.mask_margin", -1, "$.data.mask_margin: must be at least 0 (found -1)"),
        (
            "losses",
            [{"type": "l1", "region": "handz"}],
            "$.losses[0].region: no region is called 'handz'; did you mean 'hands'?",
        ),
        # a region has one name
        (
            "losses",
            [{"type": "l1", "region": "segmentation_skin"}],
            "$.losses[0].region: no region is called 'segmentation_skin' (known: image, skin, arms",
        ),
        # an input, but no mask
        ("losses", [{"type": "l1", "region": "line"}], "$.losses[0].region: no region is called 'line'"),
        (
            "metrics",
            [{"type": "mse", "regions": ["image", "hair"]}],
            "$.metrics[0].regions[1]: no region is called 'hair'",
        ),
        ("data.size", [509, 509], "$.data.size: generator 'pix2pix': 509x509 does not fit"),
        ("data.size", [32, 32], "$.data.size: discriminator 'patchgan': 32x32 is too small"),
        (
            "data.dataset",
            {"type": "photos", "root": "x", "prepare": {"crop": {"margin": 2}}},
            "$.data.dataset.prepare.crop.margin: must be at most 1 (found 2)",
        ),
    ],
)
def test_an_error_has_its_path_value_and_what_is_allowed(
    value: dict[str, Any], path: str, new: Any, told: str
) -> None:
    assert told in "\n".join(errors(changed(value, path, new)))


def test_an_input_is_named_or_given_as_an_object(value: dict[str, Any]) -> None:
    inputs = ["heatmaps", {"type": "apparel_head_foot"}]
    spec = parse_spec(changed(value, "data.inputs", inputs))
    assert spec.data.input_names == ("heatmaps", "apparel_head_foot")
    assert [each.kind for each in spec.data.inputs] == ["input", "input"]
    assert spec.to_json()["data"]["inputs"] == [{"type": "heatmaps"}, {"type": "apparel_head_foot"}]


@pytest.mark.parametrize("region", ["image", "skin", "mask", "face", "arms", "hands"])
def test_losses_and_metrics_look_at_any_mask(value: dict[str, Any], region: str) -> None:
    value["losses"] = [{"type": "l1", "region": region}, "gan"]
    value["metrics"] = [{"type": "mse", "regions": [region]}]
    filled = parse_spec(value).to_json()
    assert filled["losses"][0]["region"] == region
    assert filled["metrics"][0]["regions"] == [region]


@pytest.mark.parametrize("value", [[], None, "mask", 3])
def test_what_is_no_object_is_told(value: Any) -> None:
    (told,) = errors(value)
    assert told.startswith("$: must be an object")


def test_missing_fields_are_told_at_once() -> None:
    told = errors({})
    fields = ("name", "data", "generator", "losses", "training")
    assert told == [f"$.{field}: is required" for field in fields]


def test_errors_of_fields_and_errors_between_fields_are_told_at_once(value: dict[str, Any]) -> None:
    told = errors(
        {
            **value,
            "name": "a b",
            "data": {"dataset": "foldr", "size": [512, 512]},
            "generator": {"type": "pix2pix", "base_chanels": 3},
            "discriminator": None,
            "training": {"epochs": 1, "steps": 1, "batch_size": 0},
        }
    )
    assert [line.split(":")[0] for line in told] == [
        "$.name",
        "$.data.dataset",
        "$.generator.base_chanels",
        "$.discriminator",
        "$.training.steps",
        "$.training.batch_size",
    ]
    told = errors(
        {
            **value,
            "name": "a b",
            "data": {**value["data"], "size": [509, 509]},
            "losses": ["l1"],
        }
    )
    assert [line.split(":")[0] for line in told] == ["$.name", "$.data.size", "$.discriminator"]


def test_a_long_value_is_cut_short(value: dict[str, Any]) -> None:
    (told,) = errors({**value, "name": "a" * 500})
    assert len(told) < 250
    assert "..." in told


def test_a_component_whose_configuration_cannot_be_imported_is_told(value: dict[str, Any]) -> None:
    registry = Registry()
    registry.add_manifest(
        """[[component]]
        kind = "generator"
        name = "broken"
        target = "no_such_module_here:Thing"
        config = "no_such_module_here:ThingConfig"
        summary = "Broken."
        """,
        "third-party 2.1",
    )
    with pytest.raises(SpecError) as caught:
        parse_spec({**value, "generator": "broken"}, registry=registry)
    told = next(line for line in caught.value.errors if line.startswith("$.generator"))
    assert "third-party 2.1" in told
    assert "ModuleNotFoundError" in told


class PickyConfig(GeneratorConfig):
    trainable = False

    def size_requirement(self, size: Size) -> SizeRequirement:
        return SizeRequirement(maximum=256)


def test_a_baseline_that_does_not_accept_the_size_is_told(value: dict[str, Any]) -> None:
    picky = ComponentSpec("generator", "picky", PickyConfig())
    assert errors({**value, "baselines": ["mean_color", picky]}) == [
        "$.data.size: baseline 'picky': 512x512 is too large: each side must have at most 256 pixels"
    ]


def test_a_file_gives_a_spec_with_paths_from_its_own_folder(value: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    spec = load_spec(path, {"training.epochs": 2, "name": "short"})
    assert isinstance(spec, Spec)
    assert (spec.name, spec.training.epochs) == ("short", 2)
    assert spec.data.dataset.config.model_dump()["root"] == tmp_path / "data" / "full_body"


def test_errors_of_a_file_name_the_file(value: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps({**value, "seed": -1, "name": ""}), encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{path}: 2 errors"
    assert lines[1].startswith("  $.name: ")
    assert lines[2].startswith("  $.seed: ")


def test_the_tiny_spec_of_the_tests_is_valid(tiny_spec: Callable[..., dict[str, Any]]) -> None:
    assert parse_spec(tiny_spec()).name == "tiny"


def test_fp16_with_accumulation_is_refused(value: dict[str, Any]) -> None:
    value["training"] |= {"precision": "fp16", "gradient_accumulation": 2}
    assert errors(value) == [
        '$.training.precision: fp16 and gradient_accumulation cannot be combined; use bf16 (found "fp16")'
    ]
    value["training"]["precision"] = "bf16"
    assert parse_spec(value).training.precision == "bf16"


@pytest.mark.parametrize("composite", ["skin", "none"])
def test_kept_skin_needs_a_composite_that_keeps_it(value: dict[str, Any], composite: str) -> None:
    value["data"] |= {"kept_skin": 0.5}
    value["composite"] = composite
    (error,) = errors(value)
    assert error.startswith(f"$.composite: with '{composite}', the network paints skin that data.kept_skin")
    value["composite"] = "mask"
    assert parse_spec(value).composite == "mask"


@pytest.mark.parametrize(
    ("path", "new", "told"),
    [
        ("losses", ["l2"], "$.losses[0]: unknown loss 'l2'"),
        ("losses", [{"type": "l1", "weight": True}], "$.losses[0].weight: expected a number (found true)"),
        ("losses", ["l2"] * 100_000, "$.losses: 100,000 entries; at most 1,000 are allowed"),
        ("metrics", ["nothing"], "$.metrics[0]: unknown metric 'nothing'"),
        ("data.inputs", ["nothing"], "$.data.inputs[0]: unknown input 'nothing'"),
        (
            "generator",
            {"type": "pix2pix", "base_channels": 10**18},
            "$.generator.base_channels: out of",
        ),
        (
            "generator",
            {"type": "smp_unet", "encoder": 5, "encoder_weights": "bodypix"},
            "$.generator.encoder: ",
        ),
        ("generator", {"type": "two_stage", "coarse": "nothing"}, "$.generator.coarse: unknown generator"),
        ("training", {"epochs": True}, "$.training.epochs: expected a number (found true)"),
        ("data.test_fraction", "a half", "$.data.test_fraction: expected a number"),
    ],
)
def test_one_error_is_told_as_one(value: dict[str, Any], path: str, new: Any, told: str) -> None:
    (line,) = errors(changed(value, path, new))
    assert line.startswith(told)


def test_many_errors_are_counted_and_the_first_are_told(value: dict[str, Any]) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec({**value, **{f"key{number}": 1 for number in range(900)}})
    lines = str(caught.value).splitlines()
    assert lines[0] == "spec: 900 errors" and lines[-1] == "  and 880 more" and len(lines) == 22


def test_names_that_are_very_long_or_not_printable_stay_harmless(value: dict[str, Any]) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec({**value, "x" * 100_000: 1, "\x1b[31m\u202e\ud800": 2, "losses": ["\x1b]0;title\x07"]})
    told = str(caught.value)
    assert len(told) < 3000 and all(line.isprintable() for line in told.split("\n"))
    assert told.replace("\n", "").isprintable()
