"""The real init command: the spec that it writes fits the photos, and trains."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from drawn_photos import write_drawn_photo
from PIL import Image

import skinfw
from skinfw.cli import init as init_command
from skinfw.cli import main
from skinfw.components.reference import use
from skinfw.specs import first_spec
from skinfw.specs.spec import load_spec
from skinfw.system import devices

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(8):
        write_drawn_photo(tmp_path / "photos" / f"id_{number}" / "01_1_front.png", number)
    return tmp_path / "photos"


def init(*arguments: str | Path, answers: str | None = None) -> Result:
    return CliRunner().invoke(main, ["init", *map(str, arguments)], input=answers)


def read(path: Path) -> dict[str, Any]:
    spec: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return spec


def test_samples_are_not_photos(photos: Path, tmp_path: Path) -> None:
    samples = tmp_path / "samples"
    prepared = CliRunner().invoke(main, ["prepare", str(photos), str(samples), "--num-workers", "1"])
    assert prepared.exit_code == 0, prepared.output
    sheet = samples / "contact_sheet" / "strips"
    for with_pictures in (False, True):
        if with_pictures:
            sheet.mkdir(parents=True)
            write_drawn_photo(sheet / "1.png", 1)
        done = init(samples, "-o", tmp_path / "own.json", "--yes")
        assert done.exit_code == 2
        assert "contains 8 samples that skinfw prepared, not photos; give the folder of the" in done.stderr
        assert not (tmp_path / "own.json").exists()


def test_misaligned_label_maps_are_moved(photos: Path, tmp_path: Path) -> None:
    for number in range(8, 10):
        write_drawn_photo(photos / f"id_{number}" / "01_1_front.png", number)
    for labels in photos.rglob("*_segment.png"):
        Image.fromarray(np.roll(np.asarray(Image.open(labels)), 2, 1)).save(labels)
    output = tmp_path / "own.json"
    done = init(photos, "-o", output, "--yes")
    assert done.exit_code == 0, done.output
    assert (
        "The label maps are misaligned, 2 pixels too far right: the proposed segmenter moves them"
        in done.stdout
    )
    dataset = read(output)["data"]["dataset"]
    assert dataset["segmenter"] == {"type": "deepfashion", "shift": [0, -2]}
    done = init(photos, "-o", output, "--yes", "--overwrite", "--segmenter", "deepfashion")
    assert (
        "are misaligned" not in done.output and read(output)["data"]["dataset"]["segmenter"] == "deepfashion"
    )
    next(photos.rglob("*_segment.png")).unlink()
    init(photos, "-o", output, "--yes", "--overwrite")
    dataset = read(output)["data"]["dataset"]
    assert dataset["segmenter"] == {"type": "deepfashion", "shift": [0, -2]}
    assert dataset["missing_label_maps"]["type"] == "parser"
    done = CliRunner().invoke(main, ["prepare", str(photos), str(tmp_path / "out"), "--num-workers", "1"])
    assert done.exit_code == 0, done.output
    assert 'so they are moved: the segmenter is {"type": "deepfashion", "shift": [0, -2]}' in done.stderr
    assert "set the segmenter" not in done.stderr


def test_photos_with_label_maps_and_poses_get_the_recommended_spec_which_trains(
    photos: Path, tmp_path: Path
) -> None:
    output = tmp_path / "specs" / "own.json"
    output.parent.mkdir()
    done = init(photos, "-o", output, "--yes")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == (f"{photos}: 8 photos of 96x64 pixels, 8 with a label map, 8 with a pose file")
    assert lines[-1] == f"Next: skinfw run {output}"
    expected = read(EXAMPLES / "photos.json")
    expected.update({"$schema": "skinfw.schema.json", "name": "own"})
    expected["data"]["dataset"]["root"] = str(photos)
    expected["training"]["batch_size"] = 2
    assert read(output) == expected
    assert read(output.with_name("skinfw.schema.json"))["$defs"]["DataSpec"]
    settings = {
        "training.epochs": None,
        "training.steps": 1,
        "training.device": "cpu",
        "generator.refiner.base_channels": 4,
        "data.size": [64, 32],
        "data.dataset.cache": str(tmp_path / "cache"),
        "data.dataset.prepare.num_workers": 1,
    }
    run = skinfw.run(load_spec(output, settings), output=tmp_path / "run")
    assert run.report_path.is_file()


def test_plain_photos_get_components_that_need_no_files(
    photos: Path, tmp_path: Path, no_models: None
) -> None:
    for file in [*photos.rglob("*_segment.png"), *photos.rglob("*.json")]:
        file.unlink()
    done = init(photos, "-o", tmp_path / "own.json", "-y")
    assert "8 photos of 96x64 pixels, 0 with a label map, 0 with a pose file" in done.stdout
    dataset = read(tmp_path / "own.json")["data"]["dataset"]
    assert (dataset["segmenter"], dataset["pose_encoder"]) == ("skin_color", "bodypix")


def test_weights_that_are_missing_are_named_with_the_command_that_finds_them(
    photos: Path, tmp_path: Path, no_models: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in [*photos.rglob("*_segment.png"), *photos.rglob("*.json")]:
        file.unlink()
    monkeypatch.delenv("SKINFW_WEIGHTS", raising=False)
    monkeypatch.setenv("SKINFW_CACHE", str(tmp_path / "cache"))
    output = tmp_path / "own.json"
    (file,) = use("pose_encoder", "bodypix").config.published_files()
    lines = init(photos, "-o", output, "-y").stdout.splitlines()
    users = "segmenter bodypix, pose encoder bodypix"  # skin_color starts from the former
    assert lines[-3:] == [
        f"{file.name}, for {users}, is not on this machine; skinfw run downloads it from {file.url}",
        "Without a network, put it into a folder and set SKINFW_WEIGHTS to that folder.",
        f"Next: skinfw run {output}",
    ]
    # another file of that name is not taken for it
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / file.name).write_bytes(b"another file")
    monkeypatch.setenv("SKINFW_WEIGHTS", str(tmp_path / "weights"))
    done = init(photos, "-o", output, "-y", "--overwrite")
    assert f"{tmp_path / 'weights' / file.name}: is not BodyPix 2" in done.stdout
    given = ("--segmenter", "deepfashion", "--pose-encoder", "openpose")
    assert file.name not in init(photos, "-o", output, "-y", "--overwrite", *given).stdout


def test_plain_photos_get_the_parser_in_the_package(photos: Path, tmp_path: Path, models: Path) -> None:
    for file in [*photos.rglob("*_segment.png"), *photos.rglob("*.json")]:
        file.unlink()
    done = init(photos, "-o", tmp_path / "own.json", "-y")
    assert done.exit_code == 0, done.stderr
    segmenter = read(tmp_path / "own.json")["data"]["dataset"]["segmenter"]
    assert segmenter == {"type": "parser", "path": "skinfw:street-parser"}
    unanswered = init(photos, "-o", tmp_path / "other.json", answers="")
    assert """--segmenter '{"type": "parser", "path": "skinfw:street-parser"}'""" in unanswered.stderr


def test_without_photos_it_trains_on_drawn_people(tmp_path: Path) -> None:
    assert init("-o", tmp_path / "first.json", "--yes").exit_code == 0
    spec, expected = read(tmp_path / "first.json"), read(EXAMPLES / "quickstart.json")
    assert (spec["name"], spec["data"]["size"]) == ("first", expected["data"]["size"])
    assert init("-o", tmp_path / "other.json", "--size", "256x192").exit_code == 0
    assert read(tmp_path / "other.json")["data"]["size"] == [256, 192]
    assert spec["generator"] == expected["generator"]
    assert spec["data"]["dataset"] == expected["data"]["dataset"]


def test_it_asks_and_asks_again_after_a_wrong_answer(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(init_command, "can_ask", lambda: True)
    answers = 'skin_colour\n{"type": "skin_color", "rounds": 0}\n\n256x128\n'
    done = init(photos, "-o", tmp_path / "own.json", answers=answers)
    assert done.exit_code == 0, done.output
    assert "Segmenter [deepfashion]:" in done.stdout and "Pose encoder [openpose]:" in done.stdout
    assert "did you mean 'skin_color'?" in done.output
    data = read(tmp_path / "own.json")["data"]
    assert data["dataset"]["segmenter"] == {"type": "skin_color", "rounds": 0}
    assert data["dataset"]["pose_encoder"] == "openpose"
    assert data["size"] == [256, 128]
    assert data["dataset"]["prepare"]["crop"]["aspect"] == 2


def test_paths_count_from_the_folder_of_the_spec(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    segmenter = json.dumps({"type": "parser", "path": "runs/parser"})
    done = init("photos", "-o", "specs/own.json", "-y", "--segmenter", segmenter)
    assert done.exit_code == 0, done.stderr
    dataset = load_spec(tmp_path / "specs" / "own.json").data.dataset.to_json()
    assert dataset["root"] == str(photos)
    assert dataset["segmenter"]["path"] == str(tmp_path / "runs" / "parser")
    assert read(tmp_path / "specs" / "own.json")["data"]["dataset"]["root"] == "../photos"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("$HOME pics", r"\$HOME means an environment variable"), ("~", "~ means a home folder")],
)
def test_photos_whose_path_a_spec_would_expand_are_rejected(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    photos.rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    done = init(name, "-o", "own.json", "--yes")
    assert done.exit_code == 2
    assert re.search(
        f"Error: .*: in a spec, {reason}; rename the folder, or use a symbolic link", done.stderr
    )
    assert {path.name for path in tmp_path.iterdir()} == {name}


def test_a_model_on_a_hub_is_named_as_given_and_not_fetched(photos: Path, tmp_path: Path) -> None:
    segmenter = {"type": "parser", "path": "hub:nobody/parser"}
    done = init(photos, "-o", tmp_path / "own.json", "-y", "--segmenter", json.dumps(segmenter))
    assert done.exit_code == 0, done.stderr
    assert read(tmp_path / "own.json")["data"]["dataset"]["segmenter"] == segmenter


def test_in_a_pipe_it_says_which_options_to_give(photos: Path, tmp_path: Path) -> None:
    done = init(photos, "-o", tmp_path / "own.json", "--size", "64x32")
    assert done.exit_code == 2
    assert (
        "give --segmenter deepfashion --pose-encoder openpose, or accept these defaults with --yes"
        in done.stderr
    )
    assert not (tmp_path / "own.json").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--size", "128"), "--size 128: give height and width in pixels"),
        (("--size", "0x64"), "--size 0x64: give height and width in pixels"),
        (("--size", "100x64"), "multiples of 16"),
        (("--segmenter", "none"), "unknown segmenter 'none'"),
    ],
)
def test_a_spec_that_is_not_valid_is_not_written(
    photos: Path, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    done = init(photos, "-o", tmp_path / "own.json", "-y", *options)
    assert done.exit_code == 2
    assert message in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos"]


def test_it_replaces_a_spec_only_if_asked_to(tmp_path: Path) -> None:
    spec = tmp_path / "own.json"
    spec.write_text("mine", encoding="utf-8")
    refused = init("-o", spec, "-y")
    assert refused.exit_code == 2 and "--overwrite" in refused.stderr
    assert spec.read_text(encoding="utf-8") == "mine"
    assert init("-o", spec, "-y", "--overwrite").exit_code == 0
    assert read(spec)["name"] == "own"


def test_a_segmenter_without_photos_is_an_error(tmp_path: Path) -> None:
    done = init("-o", tmp_path / "own.json", "--segmenter", "skin_color")
    assert done.exit_code == 2 and "need PHOTOS" in done.stderr


@pytest.mark.parametrize(("count", "what"), [(1, "it"), (2, "them")])
def test_the_next_command_can_be_pasted(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, what: str
) -> None:
    monkeypatch.setattr(init_command, "_missing_files", lambda _: iter(["a file"] * count))
    output = tmp_path / "my spec.json"
    lines = init(photos, "-o", output, "-y").stdout.splitlines()
    assert shlex.split(lines[-1]) == ["Next:", "skinfw", "run", str(output)]
    assert lines[-2] == f"Without a network, put {what} into a folder and set SKINFW_WEIGHTS to that folder."


@pytest.mark.parametrize(
    ("size", "depth"),
    [
        ("128x64", 4), ("256x128", 5), ("512x256", 6), ("384x192", 6), ("8x8", 1), ("448x224", 5),
        ("512x288", 5), ("384x160", 5), ("416x224", 5), ("96x48", 4),
    ],
)  # fmt: skip
def test_larger_images_get_more_levels(photos: Path, tmp_path: Path, size: str, depth: int) -> None:
    done = init(photos, "-o", tmp_path / "own.json", "-y", "--size", size)
    assert done.exit_code == 0, done.stderr
    assert read(tmp_path / "own.json")["generator"]["refiner"]["depth"] == depth


@pytest.mark.parametrize(
    ("device", "height", "size"),
    [("cuda", 512, [512, 256]), ("cuda", 400, [256, 128]), ("cpu", 512, [256, 128])],
)
def test_large_photos_get_larger_images_where_there_is_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, height: int, size: list[int]
) -> None:
    asked = []
    monkeypatch.setattr(devices, "pick_device", lambda: asked.append(1) or torch.device(device))
    for number in range(4):
        write_drawn_photo(tmp_path / "photos" / f"id_{number}.png", number, (height, height // 2))
    done = init(tmp_path / "photos", "-o", tmp_path / "own.json", "-y")
    assert done.exit_code == 0, done.stderr
    assert read(tmp_path / "own.json")["data"]["size"] == size
    assert bool(asked) == (height >= 512)
    given = init(tmp_path / "photos", "-o", tmp_path / "given.json", "-y", "--size", "128x64")
    assert given.exit_code == 0 and len(asked) == (height >= 512)


def test_the_example_of_a_size_is_the_measured_one(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_spec, "measured_size", lambda *, drawn: (8, 8) if drawn else (320, 160))
    done = init(photos, "-o", tmp_path / "own.json", "--size", "large", "-y")
    assert done.exit_code == 2
    assert "--size large: give height and width in pixels, for instance 320x160" in done.stderr
