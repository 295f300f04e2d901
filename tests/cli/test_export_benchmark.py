from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from skinfw.assembly.assemble import build_dataset
from skinfw.cli import main
from skinfw.runs.split_record import make_split, write_split
from skinfw.tasks.choice import make_source

Make = Callable[..., Any]


def export(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["export-benchmark", *map(str, arguments)])


@pytest.fixture
def run(make_run: Make, tmp_path: Path) -> Any:
    """A run with a recorded split that the spec alone would not give."""
    made = make_run(tmp_path / "run", baselines=[], composite="mask")
    split = make_split(make_source(made.spec), made.spec.data)
    write_split(made, type(split)(split.test, split.validation, split.train))
    return made, split


def test_results_of_another_system_are_scored_on_the_exported_samples(run: Any, tmp_path: Path) -> None:
    made, split = run
    out = tmp_path / "out"
    done = export(made.folder, out, "--targets")
    assert done.exit_code == 0, done.output
    inputs = [
        *made.spec.data.input_names,
        *([] if "mask" in made.spec.data.input_names else ["mask"]),
        "body",
    ]
    assert f"{len(split.train)} samples in {out}: {', '.join(inputs)}" in done.stdout
    record = json.loads((out / "benchmark.json").read_text(encoding="utf-8"))
    assert record["names"] == list(split.train) and record["folders"] == inputs
    assert record["split"] == "test" and record["size"] == list(made.spec.data.size)
    dataset = build_dataset(made.spec, ["mask"])
    for name in split.train[:2]:
        sample = dataset.load(name)
        for folder in inputs:
            image = np.asarray(Image.open(out / folder / f"{name}.png"))
            expected = sample.fields[folder].type.pixels(sample[folder])
            assert np.array_equal(image, expected.squeeze())
        mask = np.asarray(Image.open(out / "mask" / f"{name}.png"))
        assert set(np.unique(mask)) == {0, 255}
    # a system that knows the truth
    results = tmp_path / "results"
    (out / "body").rename(results)
    baseline = json.dumps({"type": "images", "folder": str(results), "label": "oracle"})
    done = CliRunner().invoke(main, ["evaluate", str(made.folder), "--baseline", baseline, "--device", "cpu"])
    assert done.exit_code == 0, done.output
    values = json.loads(made.metrics_path.read_text(encoding="utf-8"))["test"]["values"]
    assert values["oracle"]["skin/psnr"] == 100


def test_a_spec_is_split_as_a_run_of_it_and_images_have_the_wanted_size(run: Any, tmp_path: Path) -> None:
    made, split = run
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(made.spec.to_json()), encoding="utf-8")
    done = export(spec, tmp_path / "out", "--split", "validation", "--size", "48x24")
    assert done.exit_code == 0, done.output
    names = {path.stem for path in (tmp_path / "out" / "mask").iterdir()}
    assert names == set(split.validation)
    assert Image.open(tmp_path / "out" / "mask" / f"{split.validation[0]}.png").size == (24, 48)
    assert not (tmp_path / "out" / "body").exists()


@pytest.mark.parametrize("size", ["512", "0x64", "-1x5", "axb", "64x64x3", "999999x1"])
def test_a_size_that_is_none_is_rejected(run: Any, tmp_path: Path, size: str) -> None:
    done = export(run[0].folder, tmp_path / "out", "--size", size)
    assert done.exit_code == 2 and "--size: expected HEIGHTxWIDTH" in done.stderr


def test_nothing_is_overwritten_and_a_strangers_paths_are_not_read(
    run: Any, make_run: Make, write_samples: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine", encoding="utf-8")
    done = export(run[0].folder, tmp_path / "out")
    assert done.exit_code == 2 and "is not empty; choose another folder" in done.stderr
    write_samples(tmp_path / "data", [f"p{number}" for number in range(6)])
    data = {"dataset": {"type": "folder", "root": str(tmp_path / "data")}, "size": [32, 32]}
    other = make_run(tmp_path / "other", data=data, baselines=[])
    done = export(other.folder, tmp_path / "new")
    assert done.exit_code == 0, done.output
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another user"))
    done = export(other.folder, tmp_path / "newer")
    assert done.exit_code == 2 and "$.data.dataset.root names a path" in done.stderr
    assert not (tmp_path / "newer").exists()
    assert export(other.folder, tmp_path / "newer", "--trust").exit_code == 0
