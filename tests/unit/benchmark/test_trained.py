"""The photos that a trained parser is measured on are those of its own run's test."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from skinfw.benchmark.photos import chosen_photos
from skinfw.components.reference import use
from skinfw.data.split import Split
from skinfw.errors import DataError, UserError

TRUTH = use("segmenter", "deepfashion")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(8):
        path = tmp_path / "photos" / f"p{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8), (number * 30, 0, 0)).save(path)
    return tmp_path / "photos"


@pytest.fixture
def run(tmp_path: Path, photos: Path) -> Path:
    folder = tmp_path / "run"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / "best.safetensors").touch()
    spec = {"task": "segmentation", "data": {"root": str(photos), "test_fraction": 0.25}}
    (folder / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    names = [f"p{number}.png" for number in range(8)]
    split = vars(Split(tuple(names[:5]), (names[5],), tuple(names[6:])))
    (folder / "split.json").write_text(json.dumps(split), encoding="utf-8")
    return folder


def parser(path: Path) -> Any:
    return use("segmenter", "parser", path=path)


def names(found: list[Path]) -> list[str]:
    return [path.name for path in found]


def test_the_recorded_test_photos_are_measured(run: Path, photos: Path, tmp_path: Path) -> None:
    for path in (run, run / "checkpoints" / "best.safetensors"):
        assert names(chosen_photos(photos, TRUTH, 0.25, None, [parser(path)])) == ["p6.png", "p7.png"]
    # inside another segmenter, from another place, and below a folder around
    ensemble = use("segmenter", "ensemble", members=[{"segmenter": each} for each in (parser(run), TRUTH)])
    assert names(chosen_photos(photos, TRUTH, 0.25, None, [ensemble])) == ["p6.png", "p7.png"]
    assert names(chosen_photos(photos.parent, TRUTH, 0.25, None, [parser(run)])) == ["p6.png", "p7.png"]
    shutil.move(photos, tmp_path / "elsewhere")
    assert names(chosen_photos(tmp_path / "elsewhere", TRUTH, 0.25, None, [parser(run)])) == [
        "p6.png",
        "p7.png",
    ]


def test_contradictions_are_refused(run: Path, photos: Path, tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"--test-fraction 0.3: .*run was trained with data.test_fraction 0.2"
    ):
        chosen_photos(photos, TRUTH, 0.3, None, [parser(run)])
    shutil.copy(run / "checkpoints" / "best.safetensors", tmp_path / "alone.safetensors")
    with pytest.raises(UserError, match="has no record of its split"):
        chosen_photos(photos, TRUTH, 0.25, None, [parser(tmp_path / "alone.safetensors")])
    other = tmp_path / "other"
    other.mkdir()
    Image.new("RGB", (8, 8)).save(other / "x.png")
    with pytest.raises(DataError, match="none of its photos is a test photo"):
        chosen_photos(other, TRUTH, 0.25, None, [parser(run)])


def test_photos_that_were_trained_on_are_warned_of(
    run: Path, photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert len(chosen_photos(photos, TRUTH, measured=[parser(run)])) == 8
    assert "was trained on 6 of the 8 photos; --test-fraction 0.25 measures only its test" in caplog.text
