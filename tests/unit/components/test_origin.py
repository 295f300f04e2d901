"""A component without its file says what the file is, where it comes from, and how to name it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from skinfw.cli import main
from skinfw.components.origin import origin_of
from skinfw.components.outside import Outside
from skinfw.components.reference import use
from skinfw.components.registry import installed
from skinfw.errors import SpecError
from skinfw_plugins.segmenters.config import BodyPixConfig

FILE = "selfie_multiclass_256x256.tflite"
PLACE = f"mediapipe-models/image_segmenter/selfie_multiclass_256x256/float32/latest/{FILE}"
EXAMPLE = f'{{"type": "mediapipe", "model": "{FILE}"}}'


def spec(segmenter: Any) -> dict[str, Any]:
    dataset = {"type": "photos", "root": "photos", "segmenter": segmenter}
    return {
        "name": "origin",
        "data": {"dataset": dataset, "size": [64, 64]},
        "generator": "pix2pix",
        "losses": ["l1"],
        "training": {"epochs": 1},
    }


def message(way: str, tmp_path: Path) -> str:
    if way == "python":
        with pytest.raises(SpecError) as caught:
            use("segmenter", "mediapipe")
        return str(caught.value)
    arguments = ["prepare", "photos", "samples", "--segmenter", "mediapipe"]
    if way == "spec":
        (tmp_path / "spec.json").write_text(json.dumps(spec("mediapipe")), encoding="utf-8")
        arguments = ["validate", str(tmp_path / "spec.json")]
    if way == "nested":
        arguments[-1] = json.dumps({"type": "ensemble", "members": [{"segmenter": "mediapipe"}]})
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    return done.stderr


@pytest.mark.parametrize("way", ["command", "nested", "spec", "python"])
def test_the_error_names_the_file_its_place_its_license_and_an_example(way: str, tmp_path: Path) -> None:
    told = message(way, tmp_path)
    assert "model: is required" in told
    assert "Field required" not in told
    for part in (f"MediaPipe's model {FILE}", PLACE, "license: Apache-2.0", EXAMPLE):
        assert told.count(part) == 1
    assert len(told.strip().splitlines()) == 1


def test_the_example_has_all_required_fields_and_keeps_what_was_given() -> None:
    with pytest.raises(SpecError) as caught:
        use("segmenter", "huggingface", labels="lip")
    assert caught.value.errors[0].endswith(
        '{"type": "huggingface", "model": "mattmdjaga/segformer_b2_clothes", "labels": "lip"}'
    )


@pytest.mark.parametrize("kind", ["segmenter", "pose_encoder", "generator"])
def test_every_required_file_has_an_origin_and_an_example(kind: str) -> None:
    registry = installed()
    for name in registry.names(kind):
        if not registry.entry(kind, name).provider.startswith("skinfw "):
            continue
        for field in registry.config_class(kind, name).model_fields.values():
            if field.is_required() and any(isinstance(mark, Outside) for mark in field.metadata):
                assert origin_of(field) is not None, name
                assert field.examples, name


def test_a_configuration_names_the_file_that_is_found_by_name() -> None:
    (file,) = BodyPixConfig(stride=16).published_files()
    assert (file.name, file.license) == ("mobilenet_v1_050_stride16.onnx", "Apache-2.0")
    assert BodyPixConfig(weights=Path("own.onnx")).published_files() == ()
