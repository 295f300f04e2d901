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
from skinfw.data.loading import Loader
from skinfw.evaluation.covered import covered
from skinfw.export.graphs import graph_inputs
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
            assert (image.reshape(*image.shape[:2], -1) == expected).all()
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
    done = export(spec, tmp_path / "out", "--split", "validation", "--height", "48")
    assert done.exit_code == 0, done.output
    names = {path.stem for path in (tmp_path / "out" / "mask").iterdir()}
    assert names == set(split.validation)
    height, width = made.spec.data.size
    image = Image.open(tmp_path / "out" / "mask" / f"{split.validation[0]}.png")
    assert image.size == (48 * width // height, 48)
    assert not (tmp_path / "out" / "body").exists()


def test_the_images_are_those_of_an_evaluation(make_run: Make, tmp_path: Path) -> None:
    """With a garment's margin the mask is larger than the skin; heat maps are left out."""
    data = {
        "dataset": {"type": "mannequins", "count": 12},
        "size": [64, 32],
        "inputs": ["apparel_head_foot", "heatmaps", "mask"],
        "garment_margin": [0.02, 0.1],
    }
    generator = {"type": "pix2pix", "base_channels": 2, "depth": 2, "output": "rgba"}
    losses = ["l1", "alpha_cross_entropy"]
    made = make_run(
        tmp_path / "run", data=data, generator=generator, losses=losses, composite="mask", baselines=[],
        discriminator=None,
    )  # fmt: skip
    assert export(made.folder, tmp_path / "out").exit_code == 0
    record = json.loads((tmp_path / "out" / "benchmark.json").read_text(encoding="utf-8"))
    assert record["folders"] == ["apparel_head_foot", "mask"] and record["composite"] == "mask"
    source = build_dataset(made.spec)
    for batch in covered(Loader(source, record["names"], batch_size=2), made.spec):
        for index, name in enumerate(batch.names):
            mask = np.asarray(Image.open(tmp_path / "out" / "mask" / f"{name}.png"))
            assert np.array_equal(mask > 0, batch["mask"][index, 0].numpy() > 0)
            assert (mask > 0).sum() > (source.load(name)["mask"] > 0).sum()


def test_the_mask_is_what_the_composite_takes(make_run: Make, tmp_path: Path) -> None:
    data = {"dataset": {"type": "mannequins", "count": 12}, "size": [32, 32], "inputs": ["apparel_head_foot"]}
    for composite, region in (("skin", "segmentation_skin"), ("none", None), ("protect", "keep")):
        made = make_run(tmp_path / composite, baselines=[], composite=composite, data=data)
        assert export(made.folder, tmp_path / f"{composite}-out").exit_code == 0
        dataset = build_dataset(made.spec, ["segmentation_skin"])
        path = next((tmp_path / f"{composite}-out" / "mask").iterdir())
        mask = np.asarray(Image.open(path)) > 0
        if region is None:
            assert mask.all()
            continue
        field = dataset.load(path.stem)[region] > 0
        assert np.array_equal(mask, ~field if region == "keep" else field)
        # an exported network gets the composite's field under its own name
        assert region in graph_inputs(made.spec)
        written = np.asarray(Image.open(tmp_path / f"{composite}-out" / region / path.name)) > 0
        assert np.array_equal(written, field)


def test_an_exported_network_that_sees_a_mask_gets_that_mask_whatever_the_composite(
    make_run: Make, tmp_path: Path
) -> None:
    """The composite's mask goes to a separate folder, which the record names."""
    data = {
        "dataset": {"type": "mannequins", "count": 12},
        "size": [32, 32],
        "inputs": ["apparel_head_foot", "mask"],
    }
    for composite in ("mask", "skin", "protect"):
        made = make_run(tmp_path / composite, baselines=[], composite=composite, data=data)
        out = tmp_path / f"{composite}-out"
        assert export(made.folder, out).exit_code == 0
        record = json.loads((out / "benchmark.json").read_text(encoding="utf-8"))
        assert {*graph_inputs(made.spec), record["mask"]} == {*record["folders"]}
        dataset = build_dataset(made.spec, ["segmentation_skin"])
        (name, *_) = record["names"]
        sample = dataset.load(name)
        wanted = {
            "mask": sample["mask"] > 0,
            "skin": sample["segmentation_skin"] > 0,
            "protect": sample["keep"] == 0,
        }
        seen, painted = (
            np.asarray(Image.open(out / each / f"{name}.png")) for each in ("mask", record["mask"])
        )
        assert np.array_equal(seen > 0, wanted["mask"])
        assert np.array_equal(painted > 0, wanted[composite])
    assert not np.array_equal(wanted["mask"], wanted["skin"])


def test_nothing_is_overwritten_and_a_strangers_paths_are_not_read(
    run: Any, make_run: Make, write_samples: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    done = export(run[0].folder, tmp_path / "out")
    assert done.exit_code == 2 and "already exists; choose another folder" in done.stderr
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
