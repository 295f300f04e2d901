from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from skinfw.data.split import Split
from skinfw.errors import RunError
from skinfw.pipeline import Pipeline
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.runs.folder import Run
from skinfw.runs.split_record import read_split, write_split
from skinfw.training.initial_weights import reject_overlap

PIX2PIX = {"type": "pix2pix", "base_channels": 4, "depth": 2}


@pytest.fixture
def first(tmp_path: Path, make_run: Callable[..., Run]) -> Run:
    """The run to start from, with images of 32x16."""
    return make_run(tmp_path / "first", generator=PIX2PIX, data={"size": [32, 16]})


@pytest.fixture
def spec(tiny_spec: Callable[..., dict[str, Any]], first: Run) -> dict[str, Any]:
    """A run of three tiny steps that starts from it, with larger images."""
    made = tiny_spec(generator=PIX2PIX, losses=["l1", "gan"], baselines=[])
    made["data"] = {**made["data"], "size": [64, 32]}
    made["training"] = {
        "steps": 3,
        "batch_size": 4,
        "checkpoint_every": 1,
        "device": "cpu",
        "generator_lr": 1e-6,
        "initial_weights": str(first.folder),
    }
    return made


@pytest.mark.parametrize("ema", [None, 0.9])
def test_training_starts_from_the_best_weights_of_another_run(
    tmp_path: Path, first: Run, spec: dict[str, Any], ema: float | None
) -> None:
    spec["training"]["ema"] = ema
    given = read_checkpoint(first.checkpoint("best")).part("generator")
    run = Pipeline(spec, output=tmp_path / "run").fit().run
    found = read_checkpoint(run.checkpoint("last")).weights("generator")
    assert found.keys() == given.keys()
    weights = [name for name in given if name.endswith("weight")]
    # three steps of Adam move no weight further than about three times the learning rate
    assert all(torch.allclose(found[name], given[name], atol=1e-5) for name in weights)
    assert any(not torch.equal(found[name], given[name]) for name in weights)


def test_a_resumed_run_does_not_start_again(tmp_path: Path, first: Run, spec: dict[str, Any]) -> None:
    Pipeline(spec, output=tmp_path / "run").fit()
    spec["training"]["steps"] = 5
    first.checkpoint("best").unlink()
    run = Pipeline(spec, output=tmp_path / "run", resume=True).fit().run
    assert read_checkpoint(run.checkpoint("last")).progress.step == 5


def test_another_network_is_rejected(tmp_path: Path, spec: dict[str, Any]) -> None:
    spec["generator"] = {**PIX2PIX, "base_channels": 8}
    with pytest.raises(RunError, match="its generator is another network than that of this spec"):
        Pipeline(spec, output=tmp_path / "run").fit()


def test_other_inputs_are_rejected(tmp_path: Path, spec: dict[str, Any]) -> None:
    """With as many channels, the weights would fit."""
    data = {**spec["data"], "inputs": ["line", "apparel_head_foot"]}
    with pytest.raises(RunError, match=r"its generator sees .*, but this spec's data.inputs are .*order"):
        Pipeline({**spec, "data": data}, output=tmp_path / "run").fit()


def test_a_run_that_saw_held_out_samples_is_rejected(
    tmp_path: Path, first: Run, spec: dict[str, Any]
) -> None:
    split = read_split(Pipeline(spec, output=tmp_path / "run").fit().run.folder)
    assert split is not None
    write_split(first, Split(split.train + split.test[:2], split.validation, ()))
    with pytest.raises(RunError, match="was trained on 2 test or validation samples of this run"):
        Pipeline(spec, output=tmp_path / "again").fit()


def test_a_run_that_saw_copies_of_held_out_samples_is_rejected(first: Run) -> None:
    """A copy has the same content under another name."""
    write_split(first, Split(("old",), (), ()))
    first.data_path.write_text(json.dumps({"old": "1234", "unhashed": None}), encoding="utf-8")
    source = SimpleNamespace(sample_fingerprints=lambda: {"new": "1234", "other": "5678"})
    fine, leaking = Split(("new",), ("other",), ()), Split(("other",), (), ("new",))
    for path in (first.folder, first.checkpoint("best")):
        reject_overlap(path, fine, source)  # type: ignore[arg-type]
        with pytest.raises(RunError, match=r"was trained on 1 test or .* for example 'new'"):
            reject_overlap(path, leaking, source)  # type: ignore[arg-type]


def test_a_checkpoint_by_itself_has_no_split(
    tmp_path: Path, first: Run, spec: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(first.checkpoint("best"), tmp_path / "alone.safetensors")
    monkeypatch.chdir(tmp_path)
    spec["training"]["initial_weights"] = "alone.safetensors"
    assert Pipeline(spec, output=tmp_path / "run").fit().run.checkpoint("last").is_file()


def test_a_run_of_another_task_is_rejected(
    tmp_path: Path, spec: dict[str, Any], segmentation_spec: Callable[..., Any], write_labeled_photos: Any
) -> None:
    write_labeled_photos(tmp_path / "photos", 6)
    parser = segmentation_spec(tmp_path / "photos")
    parser["training"] = {"steps": 1, "batch_size": 2, "initial_weights": spec["training"]["initial_weights"]}
    with pytest.raises(RunError, match="has no network to start from; give a run of the same task"):
        Pipeline(parser, output=tmp_path / "run").fit()


def test_a_missing_run_is_named(tmp_path: Path, spec: dict[str, Any]) -> None:
    spec["training"]["initial_weights"] = str(tmp_path / "nothing")
    with pytest.raises(RunError, match="nothing: no such"):
        Pipeline(spec, output=tmp_path / "run").fit()
