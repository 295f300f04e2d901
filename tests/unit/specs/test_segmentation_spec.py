from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from skinfw.ablation.plan import make_plan
from skinfw.errors import SpecError
from skinfw.specs.schema import segmentation_schema
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.spec import Spec, load_spec, parse_spec

MakeSpec = Callable[..., dict[str, Any]]

TABLE = {
    "rest": {"of": ["background"], "region": "background"},
    "skin": {"of": ["skin"], "region": "skin"},
    "hair": {"of": ["hair", "headwear"], "region": "head"},
}


def errors(value: dict[str, Any]) -> list[str]:
    with pytest.raises(SpecError) as caught:
        parse_spec(value)
    return list(caught.value.errors)


def test_the_task_tells_which_spec_it_is(segmentation_spec: MakeSpec, tiny_spec: MakeSpec) -> None:
    assert isinstance(parse_spec(segmentation_spec(Path("photos"))), SegmentationSpec)
    painting = parse_spec(tiny_spec())
    assert isinstance(painting, Spec)
    assert painting.to_json()["task"] == "inpainting"
    assert parse_spec({**tiny_spec(), "task": "inpainting"}) == painting


def test_an_unknown_task_is_told(tiny_spec: MakeSpec) -> None:
    (error,) = errors({**tiny_spec(), "task": "inpaintin"})
    assert error.startswith("$.task: must be 'inpainting'")


def test_the_filled_spec_is_valid_again(segmentation_spec: MakeSpec) -> None:
    spec = parse_spec(segmentation_spec(Path("photos"), data={"classes": TABLE}))
    filled = spec.to_json()
    assert filled["data"]["labels"]["type"] == "deepfashion"
    assert parse_spec(json.loads(json.dumps(filled))) == spec


def test_a_relative_root_counts_from_the_spec(segmentation_spec: MakeSpec, tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(segmentation_spec(Path("photos"))), encoding="utf-8")
    spec = load_spec(path)
    assert isinstance(spec, SegmentationSpec)
    assert spec.data.root == tmp_path / "photos"


def test_all_errors_are_told_at_once_with_their_paths(segmentation_spec: MakeSpec) -> None:
    value = segmentation_spec(
        Path("photos"),
        data={"clases": "all", "labels": "deepfashon"},
        losses=[{"type": "cross_entropy", "weight": 0}, {"type": "dice", "weight": 0}],
        augmentations=[{"type": "flip", "probability": 2}, "skin_tone"],
        training={"epochs": 1, "generator_lr": 1e-3},
        network={"type": "smp", "encoder": "tu-resnet18", "encoder_weights": "ssl"},
    )
    told = "\n".join(errors(value))
    for path in (
        "$.data.clases: unknown field; did you mean 'classes'?",
        "$.data.labels: unknown segmenter 'deepfashon'; did you mean 'deepfashion'?",
        "$.losses: all weights are 0, so nothing would be trained",
        "$.augmentations[0].probability: must be at most 1 (found 2)",
        "$.training.generator_lr: unknown field",
        "$.network.encoder_weights: ",
    ):
        assert path in told, told


@pytest.mark.parametrize(
    ("classes", "reason"),
    [
        ({"rest": TABLE["rest"]}, "2 to 255 classes"),
        ({"skin": TABLE["skin"], "hair": TABLE["hair"]}, "region of one class must be background"),
        ({**TABLE, "more": {"of": ["skin"], "region": "skin"}}, "'skin' belongs to two classes"),
        ({**TABLE, "more": {"of": [], "region": "skin"}}, "at least 1 item"),
        ({**TABLE, "more": {"of": ["face"], "region": "face"}}, "must be 'background'"),
        ("some", "must be 'regions' or 'all'"),
    ],
)
def test_classes_that_make_no_sense_are_told(segmentation_spec: MakeSpec, classes: Any, reason: str) -> None:
    (error,) = errors(segmentation_spec(Path("photos"), data={"classes": classes}))
    assert error.startswith("$.data.classes")
    assert reason in error


def test_named_classes_must_be_there(segmentation_spec: MakeSpec) -> None:
    losses = ["dice", {"type": "cross_entropy", "class_weights": {"foot": 2.0}}]
    weights = segmentation_spec(Path("photos"), losses=losses)
    assert errors(weights) == [
        "$.losses[1]: no class is called 'foot' (there are: background, skin, head, feet, apparel)"
    ]
    pairs = segmentation_spec(Path("photos"), data={"flip_classes": [["skin", "had"]]})
    assert errors(pairs) == [
        "$.data.flip_classes: no class is called 'had'; did you mean 'head'? (there are: background, skin, "
        "head, feet, apparel)"
    ]
    # only the label maps tell, later
    for value in (weights, pairs):
        parse_spec({**value, "data": {**value["data"], "classes": "all"}})


def test_a_silent_spec_mirrors_moves_and_recolors(segmentation_spec: MakeSpec) -> None:
    spec = parse_spec(segmentation_spec(Path("photos")))
    assert [each.name for each in spec.augmentations] == [
        "flip",
        "affine",
        "brightness",
        "contrast",
        "saturation",
        "hue",
    ]
    assert parse_spec(segmentation_spec(Path("photos"), augmentations=[])).augmentations == ()


def test_an_augmentation_of_people_alone_is_refused(segmentation_spec: MakeSpec) -> None:
    assert errors(segmentation_spec(Path("photos"), augmentations=["flip", "skin_tone"])) == [
        "$.augmentations[1]: 'skin_tone' needs face, which photos do not have; remove it"
    ]


def test_classes_have_the_order_of_the_channels(segmentation_spec: MakeSpec) -> None:
    def names(classes: Any) -> Any:
        spec = parse_spec(segmentation_spec(Path("photos"), data={"classes": classes}))
        assert isinstance(spec, SegmentationSpec)
        return spec.data.class_names

    assert names(TABLE) == ("rest", "skin", "hair")
    assert names("regions") == ("background", "skin", "head", "feet", "apparel")
    assert names("all") is None


def test_ablations_are_of_painting(segmentation_spec: MakeSpec) -> None:
    ablation = {
        "name": "sizes",
        "base": segmentation_spec(Path("photos")),
        "variants": {"one": {}, "two": {}},
    }
    with pytest.raises(SpecError, match=r'every variant: \$.task: "segmentation" cannot be ablated'):
        make_plan(ablation)


def test_the_schema_fits_what_is_valid_and_nothing_else(segmentation_spec: MakeSpec) -> None:
    schema = segmentation_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    value = segmentation_spec(Path("photos"), data={"classes": TABLE})
    validator.validate({"$schema": "segmentation.schema.json", **value})
    validator.validate(parse_spec(value).to_json())
    for wrong in (
        {"task": "inpainting"},
        {"network": "pix2pix"},
        {"generator": "pix2pix"},
        {"losses": {"l1": 1}},
    ):
        assert not validator.is_valid({**value, **wrong}), wrong
