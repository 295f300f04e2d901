import errno
import json
import os
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from skinfw.cli import main

SPEC: dict[str, Any] = {
    "name": "tiny",
    "data": {"dataset": {"type": "folder", "root": "people"}, "size": [64, 128]},
    "generator": "pix2pix",
    "losses": ["l1"],
    "training": {"epochs": 3},
}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(SPEC), encoding="utf-8")
    return path


def validate(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["validate", *map(str, arguments)])


def test_a_valid_spec_is_told_in_one_line(spec: Path) -> None:
    result = validate(spec)
    assert result.exit_code == 0
    assert result.stdout == (
        f"{spec} is valid: tiny, generator pix2pix, no discriminator, losses l1, "
        "dataset folder at 64x128, 3 epochs\n"
    )


def test_a_segmentation_spec_is_told_in_one_line(spec: Path) -> None:
    value = {
        "name": "parser",
        "task": "segmentation",
        "data": {"root": "photos", "size": [64, 48]},
        "network": "smp",
        "training": {"steps": 1},
    }
    spec.write_text(json.dumps(value), encoding="utf-8")
    result = validate(spec)
    assert result.exit_code == 0
    assert result.stdout == (
        f"{spec} is valid: parser, segmentation network smp, 5 classes, labels deepfashion at 64x48, 1 step\n"
    )
    assert result.stderr == ""


def test_values_are_set_by_path(spec: Path) -> None:
    sets = ["--set", "training.epochs=null", "--set", "training.steps=7", "--set", "losses.0.weight=100"]
    sets += ["--set", 'losses=["l1", "gan"]', "--set", "discriminator=patchgan", "--set", "name=other"]
    result = validate(spec, *sets, "--set", "data.size=[128, 128]")
    assert result.exit_code == 0, result.stderr
    assert "other, generator pix2pix, discriminator patchgan, losses l1 + gan" in result.stdout
    assert "at 128x128, 7 steps" in result.stdout


def test_the_filled_spec_is_json_that_is_valid_again(spec: Path, tmp_path: Path) -> None:
    result = validate(spec, "--filled", "--set", "training.epochs=2")
    filled = json.loads(result.stdout)
    assert filled["training"]["epochs"] == 2
    assert filled["training"]["batch_size"] == 32
    assert filled["data"]["dataset"]["root"] == str(tmp_path / "people")
    again = tmp_path / "elsewhere" / "filled.json"
    again.parent.mkdir()
    again.write_text(result.stdout, encoding="utf-8")
    assert json.loads(validate(again, "--filled").stdout) == filled


def test_the_filled_spec_names_every_component_in_one_form(spec: Path) -> None:
    filled = json.loads(
        validate(spec, "--filled", "--set", 'losses=["l1", "gan"]', "--set", "discriminator=patchgan").stdout
    )
    data = filled["data"]
    lists = (data["inputs"], filled["losses"], filled["metrics"], filled["baselines"])
    assert all(lists)
    for each in (data["dataset"], filled["generator"], filled["discriminator"], *chain(*lists)):
        assert isinstance(each, dict) and "type" in each


def test_a_missing_file_is_one_line() -> None:
    result = validate("nothere.json")
    assert result.exit_code == 2
    assert result.stderr == "Error: nothere.json: no such file; check the path\n"


def test_all_errors_are_told_at_once(spec: Path) -> None:
    result = validate(
        spec, "--set", "seed=-1", "--set", "generator.depht=3", "--set", "discriminator=patchgn"
    )
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines()[0] == f"Error: {spec}: 3 errors"
    assert "$.seed: " in result.stderr
    assert "$.generator.depht: unknown field; did you mean 'depth'?" in result.stderr
    assert "$.discriminator: unknown discriminator 'patchgn'; did you mean 'patchgan'?" in result.stderr


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xef\xbb\xbf{}", "byte-order mark"),
        (b'{"name": "x",}', "not valid JSON at line 1"),
        (b'{"seed": NaN}', "NaN is not JSON"),
        (b'{"data": {"dataset": {"type": "folder", "root": "\\ud800x"}}}', "a lone surrogate"),
        (b'{"seed": 1, "seed": 2}', "duplicate key 'seed'"),
        (b"[" * 10_000 + b"]" * 10_000, "nested too deeply"),
        (b"\xff\x00", "not UTF-8 text"),
        (b"", "not valid JSON"),
        (b"[]", "$: must be an object"),
        (b"{}", "5 errors"),
    ],
)
def test_a_bad_file_is_an_error_and_no_traceback(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "spec.json"
    path.write_bytes(data)
    done = validate(path)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"Error: {path}: ")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_weights_that_nobody_can_have_are_told(spec: Path) -> None:
    parts = '{"type": "skin_color", "parts": {"type": "bodypix", "multiplier": 0.75}}'
    result = validate(
        spec,
        *("--set", 'data.dataset={"type": "photos", "root": "people"}'),
        *("--set", f"data.dataset.segmenter={parts}"),
        *("--set", 'data.dataset.pose_encoder={"type": "bodypix", "stride": 32}'),
    )
    assert result.exit_code == 2
    told = [line for line in result.stderr.splitlines() if "no weights are known by name" in line]
    assert len(told) == 2
    assert "$.data.dataset.segmenter.parts: " in result.stderr
    assert "for multiplier 0.75 with stride 8 (known: 0.5 with" in result.stderr
    assert "$.data.dataset.pose_encoder: " in result.stderr
    assert "set weights to the file" in result.stderr


def test_no_file_and_a_folder_are_told(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "none.json", "no such file"), (tmp_path, "is a folder")):
        result = validate(path)
        assert result.exit_code == 2
        assert words in result.stderr


def test_a_file_that_may_not_be_read_is_told(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def reject(path: Path, max_bytes: int) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("skinfw.system.json_file.read_regular", reject)  # root may read every file
    result = validate(spec)
    assert result.exit_code == 2
    assert result.stderr == f"Error: {spec}: cannot be read: Permission denied\n"


def test_a_bad_assignment_is_told(spec: Path) -> None:
    for assignment, words in (("epochs", "expected PATH=VALUE"), ("losses.5=l1", "the list has 1 entries")):
        result = validate(spec, "--set", assignment)
        assert result.exit_code == 2
        assert words in result.stderr


def test_a_name_that_is_no_text_is_printed_all_the_same(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.json"
    Path(os.fsdecode(path)).write_text(json.dumps(SPEC), encoding="utf-8")
    for arguments in ([path], [path, b"--set", b"seed=-1"]):
        command = [os.fsencode(sys.executable), b"-m", b"skinfw", b"validate", *arguments]
        done = subprocess.run(command, check=False, capture_output=True)
        assert done.returncode == (0 if len(arguments) == 1 else 2)
        assert b"Traceback" not in done.stderr


def test_a_spec_and_an_ablation_file_are_not_taken_for_each_other(tmp_path: Path) -> None:
    spec, ablation = tmp_path / "spec.json", tmp_path / "ablation.json"
    spec.write_text(json.dumps(SPEC), encoding="utf-8")
    ablation.write_text(
        json.dumps({"name": "a", "base": "spec.json", "variants": {"b": {}}}), encoding="utf-8"
    )
    for command, file, advice in (("validate", ablation, "skinfw ablate"), ("ablate", spec, "skinfw run")):
        result = CliRunner().invoke(main, [command, str(file)])
        assert result.exit_code == 2
        assert f"run it with {advice}" in result.stderr and result.stderr.count("\n") == 1
