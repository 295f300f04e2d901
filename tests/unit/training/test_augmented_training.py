from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from skinfw import Pipeline, hookimpl
from skinfw.assembly.assemble import build_training_dataset
from skinfw.components.registry import installed
from skinfw.data.batch import Batch, collate
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.runs.folder import Run
from skinfw.specs.spec import parse_spec
from skinfw.tasks.inpainting.networks import Networks
from skinfw.training.accelerator import make_accelerator

MakeSpec = Callable[..., dict[str, Any]]


@pytest.fixture
def augmented(tiny_spec: MakeSpec) -> dict[str, Any]:
    """Return a spec with every augmentation that skinfw brings, that trains for 5 steps."""
    own = [name for name in installed().names("augmentation") if _own(name)]
    spec = tiny_spec(augmentations=own, baselines=[])
    spec["data"] |= {"validation_fraction": 0}
    spec["training"] |= {"epochs": None, "steps": 5, "checkpoint_every": 1}
    return spec


def _own(name: str) -> bool:
    return installed().entry("augmentation", name).provider.startswith("skinfw ")


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


def test_a_run_with_all_augmentations_resumes_to_the_same_weights(
    tmp_path: Path, augmented: dict[str, Any]
) -> None:
    assert len(augmented["augmentations"]) >= 12
    whole = Pipeline(augmented, output=tmp_path / "whole").fit().run
    with pytest.raises(KeyboardInterrupt):
        Pipeline(augmented, output=tmp_path / "parts", hooks=[StopAt(3)]).fit()
    parts = Pipeline(augmented, output=tmp_path / "parts", resume=True).fit().run
    expected, found = weights(whole), weights(parts)
    assert expected.keys() == found.keys()
    assert all(torch.equal(value, found[name]) for name, value in expected.items())

    plain = Pipeline({**augmented, "augmentations": []}, output=tmp_path / "plain").fit().run
    assert not torch.equal(*(weights(run)["generator.down.0.0.weight"] for run in (whole, plain)))
    for run, shown in ((whole, True), (plain, False)):
        assert ("<h2>Augmentations</h2>" in run.report_path.read_text(encoding="utf-8")) == shown


def test_the_networks_see_what_the_augmentations_made(tiny_spec: MakeSpec) -> None:
    value = tiny_spec(augmentations=[{"type": "flip", "probability": 1}, {"type": "brightness"}])
    spec = parse_spec(value)
    dataset = build_training_dataset(spec)
    batch = collate([dataset.load(name) for name in dataset.names()[:4]])
    networks = Networks(spec, make_accelerator(spec.training))
    seen: list[Batch] = []
    targets: list[torch.Tensor] = []
    inpainter = networks.inpainter

    class Watching:
        def __call__(self, network: Any, batch: Batch, noise: Any, target: Any) -> Any:
            seen.append(batch)
            targets.append(target)
            return inpainter(network, batch, noise, target)

    networks.inpainter = Watching()
    networks.train_step([batch], 1)
    assert torch.equal(seen[0]["segmentation_skin"], batch["segmentation_skin"].flip(3))
    assert not torch.equal(seen[0]["body"], batch["body"].flip(3))
    assert targets[0] is seen[0]["body"]
    # in the format in which the generator is quick
    for name in ("apparel_head_foot", "line", "segmentation_skin", "mask", "body"):
        assert seen[0][name].is_contiguous(memory_format=networks.parts[0].layout)
