"""Training and evaluating a generator with alpha, on drawn people whose skin garments cover."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from skinfw import Pipeline, hookimpl
from skinfw.assembly.assemble import build_dataset
from skinfw.data.batch import collate
from skinfw.evaluation.covered import covered
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.runs.folder import Run
from skinfw.specs.spec import parse_spec

MakeSpec = Callable[..., dict[str, Any]]


@pytest.fixture
def region(tiny_spec: MakeSpec) -> dict[str, Any]:
    """Return a spec with alpha and a discriminator that trains for 4 steps."""
    spec = tiny_spec(
        generator={"type": "pix2pix", "base_channels": 4, "output": "rgba"},
        losses=["l1", "gan", "alpha_cross_entropy", {"type": "alpha_dice", "region": "image"}],
        composite="mask",
    )
    del spec["metrics"]
    spec["data"] |= {"inputs": ["apparel_head_foot", "line", "mask"], "garment_margin": [0.02, 0.1]}
    spec["training"] |= {"epochs": None, "steps": 4, "checkpoint_every": 1}
    return spec


def test_the_covered_mask_spares_the_face_whoever_sees_it(region: dict[str, Any]) -> None:
    region["data"]["garment_margin"] = [0.3, 0.4]
    spec = parse_spec(region)
    masks = []
    for more in ([], ["face"], ["face", "segmentation_skin"]):
        dataset = build_dataset(spec, more)
        (batch,) = covered([collate([dataset.load(name) for name in dataset.names()])], spec)
        assert not (batch["mask"] * batch["face"]).any() and batch["face"].any()
        masks.append(batch["mask"])
    assert all(torch.equal(masks[0], mask) for mask in masks)


class StopAt:
    """Ends a run in the middle, as a power cut would."""

    def __init__(self, step: int) -> None:
        self.step = step

    @hookimpl
    def step_ended(self, step: int) -> None:
        if step == self.step:
            raise KeyboardInterrupt


def weights(run: Run) -> dict[str, torch.Tensor]:
    return read_checkpoint(run.checkpoint("last")).tensors


def test_it_trains_resumes_and_is_measured_against_limbs(region: dict[str, Any], tmp_path: Path) -> None:
    whole = Pipeline(region, output=tmp_path / "whole").fit().run
    with pytest.raises(KeyboardInterrupt):
        Pipeline(region, output=tmp_path / "parts", hooks=[StopAt(2)]).fit()
    parts = Pipeline(region, output=tmp_path / "parts", resume=True).fit().run
    assert weights(whole).keys() == weights(parts).keys()
    assert all(torch.equal(tensor, weights(parts)[name]) for name, tensor in weights(whole).items())

    losses = [entry["losses"] for entry in whole.read_log() if entry["event"] == "step"]
    assert len(losses) == 4 and all(0 < each["alpha_dice"] <= 1 for each in losses)
    test = json.loads(whole.metrics_path.read_text(encoding="utf-8"))["test"]
    assert list(test["values"]) == ["trained", "limbs"]
    assert read_checkpoint(whole.checkpoint("best")).about["monitor"]["metric"] == "mask/alpha_iou"
    assert test["violations"] == {"trained": 0, "limbs": 0}
    for values in test["values"].values():
        assert 0 < values["mask/alpha_iou"] < 1
        assert values["skin/psnr"] > 0
    assert "garment_margin" in whole.report_path.read_text(encoding="utf-8")
    assert (whole.test_samples_folder / "best-1-alpha.png").is_file()

    again = json.loads(parts.metrics_path.read_text(encoding="utf-8"))["test"]
    assert again["per_image"] == test["per_image"]


def test_alpha_is_trained_by_the_losses_of_alpha(region: dict[str, Any], tmp_path: Path) -> None:
    """Without a discriminator the skin in the mask is soon found better than at the beginning."""
    region |= {"losses": ["alpha_cross_entropy"], "baselines": [], "metrics": ["alpha_iou"]}
    del region["discriminator"]
    region["training"] |= {"steps": 30, "checkpoint_every": 30, "generator_lr": 3e-3}
    run = Pipeline(region, output=tmp_path / "run").fit().run
    terms = [entry["losses"]["alpha_cross_entropy"] for entry in run.read_log() if entry["event"] == "step"]
    assert sum(terms[-5:]) < 0.8 * sum(terms[:5])
