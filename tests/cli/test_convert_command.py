import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from skinfw.cli import main

FOLDER = Path(__file__).parents[1] / "data" / "report_configs"


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


@pytest.mark.parametrize("report", sorted(FOLDER.iterdir()), ids=lambda path: path.stem)
def test_what_is_converted_is_valid(report: Path, tmp_path: Path) -> None:
    result = call("convert", report, "--name", report.stem)
    assert result.exit_code == 0, result.stderr
    spec = tmp_path / "spec.json"
    spec.write_text(result.stdout, encoding="utf-8")
    validated = call("validate", spec)
    assert validated.exit_code == 0, validated.stderr
    assert f"is valid: {report.stem}, generator pix2pix" in validated.stdout


def test_json_is_converted_and_what_changes_is_noted(tmp_path: Path) -> None:
    report = tmp_path / "report_config.json"
    report.write_text(
        json.dumps(
            {
                "num_epochs": 3,
                "dataset_folder_path": "data/*",
                "img_size": [64, 64],
                "path_results": "results/512/first try",
                "input_name_list": ["apparel_head_foot"],
                "adv_loss": False,
            }
        ),
        encoding="utf-8",
    )
    result = call("convert", report)
    assert json.loads(result.stdout)["name"] == "first_try"
    assert "Note: the run is called 'first_try', its folder is runs/first_try\n" in result.stderr
    assert "Note: data/* is relative to the spec's folder\n" in result.stderr


def test_errors_are_told_and_nothing_is_printed(tmp_path: Path) -> None:
    report = tmp_path / "report_config.json"
    report.write_text('{"num_epoch": 3, "img_size": [64, 64]}', encoding="utf-8")
    result = call("convert", report)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"Error: {report}: 4 errors\n")
    assert "$.num_epoch: unknown field; did you mean 'num_epochs'?" in result.stderr


def test_a_size_that_the_network_does_not_take_is_told(tmp_path: Path) -> None:
    text = (FOLDER / "inputs_1.txt").read_text(encoding="utf-8").replace("(512, 512)", "(750, 1101)")
    report = tmp_path / "report.txt"
    report.write_text(text, encoding="utf-8")
    result = call("convert", report)
    assert result.exit_code == 2
    assert "$.data.size: generator 'pix2pix': 750x1101 does not fit" in result.stderr


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xef\xbb\xbf{}", "byte-order mark"),
        (b"\xff", "not UTF-8 text"),
        (b"", "neither JSON"),
        (b"[" * 10_000, "nested too deeply"),
    ],
)
def test_a_bad_file_is_told(tmp_path: Path, data: bytes, words: str) -> None:
    report = tmp_path / "report.json"
    report.write_bytes(data)
    result = call("convert", report)
    assert result.exit_code == 2
    assert words in result.stderr


def test_no_file_a_folder_and_a_bad_name_are_told(tmp_path: Path) -> None:
    assert "no such file" in call("convert", tmp_path / "none").stderr
    assert "is a folder" in call("convert", tmp_path).stderr
    result = call("convert", FOLDER / "inputs_1.txt", "--name", "../up")
    assert result.exit_code == 2
    assert "$.name: " in result.stderr
