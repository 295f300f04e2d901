"""Every spec in examples/ is valid and says what the documents say about it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from real_files import PHOTOS, needs_photos

from skinfw.errors import SpecError
from skinfw.specs.spec import load_spec, parse_spec

EXAMPLES = Path(__file__).parents[2] / "examples"
SPECS = sorted(EXAMPLES.glob("*.json"))


def test_there_are_the_three_that_the_documents_name() -> None:
    assert {"quickstart.json", "photos.json", "report.json"} <= {path.name for path in SPECS}


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_is_valid_and_runs_again_as_filled(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKINFW_DATA", str(tmp_path))
    spec = load_spec(path)
    assert spec.name == path.stem
    assert parse_spec(spec.to_json()).to_json() == spec.to_json()


def test_photos_takes_its_root_from_an_override_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SKINFW_DATA", raising=False)
    spec = load_spec(EXAMPLES / "photos.json", {"data.dataset.root": "/somewhere"})
    assert spec.data.dataset.to_json()["root"] == "/somewhere"


def test_photos_takes_its_root_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKINFW_DATA", str(tmp_path))
    dataset = load_spec(EXAMPLES / "photos.json").data.dataset.to_json()
    assert dataset["root"] == str(tmp_path)
    assert dataset["prepare"]["crop"]["aspect"] == 2


def test_photos_without_the_variable_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SKINFW_DATA", raising=False)
    with pytest.raises(SpecError, match="SKINFW_DATA is not set"):
        load_spec(EXAMPLES / "photos.json")


def test_report_is_the_reports_own_model() -> None:
    spec = load_spec(EXAMPLES / "report.json").to_json()
    assert spec["data"]["size"] == [512, 512]
    inputs = [each["type"] for each in spec["data"]["inputs"]]
    assert inputs == ["apparel_head_foot", "line", "segmentation_skin"]
    assert spec["composite"] == "skin"
    assert spec["discriminator"]["patch"] == 142
    assert spec["discriminator"]["conditional"] is True
    assert {loss["type"]: loss["weight"] for loss in spec["losses"]} == {"l1": 100, "gan": 1}
    training = spec["training"]
    assert (training["epochs"], training["batch_size"], training["eval_batch_size"]) == (120, 32, 20)
    assert (training["generator_lr"], training["discriminator_lr"]) == (2e-4, 2e-5)
    assert training["betas"] == [0.5, 0.999]


@needs_photos
def test_photos_trains_on_real_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = sorted(PHOTOS.rglob("*_front.jpg"))[:24]
    data = tmp_path / "data"
    for photo in photos:
        relative = photo.relative_to(PHOTOS)
        (data / relative).parent.mkdir(parents=True, exist_ok=True)
        for each in photo.parent.glob(f"{photo.stem}*"):
            shutil.copy(each, data / relative.parent)
    shutil.copytree(PHOTOS / "openpose", data / "openpose")
    monkeypatch.setenv("SKINFW_DATA", str(data))
    import skinfw

    settings = {
        "training.epochs": None,
        "training.steps": 1,
        "training.batch_size": 4,
        "training.device": "cpu",
        "generator.refiner.base_channels": 4,
        "data.size": [64, 32],
        "data.dataset.cache": str(tmp_path / "cache"),
        "data.dataset.prepare.num_workers": 1,
    }
    run = skinfw.run(load_spec(EXAMPLES / "photos.json", settings), output=tmp_path / "run")
    assert run.report_path.is_file()
