"""One value chooses the best checkpoint, from the start of a run to its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skinfw import Pipeline
from skinfw.components.registry import TRAINED
from skinfw.data.sample import Sample
from skinfw.evaluation.results import Evaluation
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.tasks.inpainting.module import InpaintingModule
from skinfw.training.monitor import read_monitor
from skinfw_plugins.datasets.mannequins import MannequinsDataset

MakeSpec = Callable[..., dict[str, Any]]
Values = list[dict[str, float | None]]


@pytest.fixture
def evaluations(monkeypatch: pytest.MonkeyPatch) -> Callable[[Values], None]:
    """Replace the values of the evaluations, one after the other."""

    def use(values: Values) -> None:
        left = iter(values)
        real = InpaintingModule.evaluate

        def evaluate(self: InpaintingModule, names: Any, step: int, ranks: Any) -> Evaluation:
            found = real(self, names, step, ranks)
            return replace(found, values={TRAINED: {**found.values[TRAINED], **next(left)}})

        monkeypatch.setattr(InpaintingModule, "evaluate", evaluate)

    return use


def make(tiny_spec: MakeSpec, epochs: int, **fields: Any) -> dict[str, Any]:
    spec = tiny_spec(metrics=["ssim", "psnr"], baselines=[], losses=["l1"], **fields)
    spec.pop("discriminator")
    spec["training"] |= {"epochs": epochs, "batch_size": 10}
    return spec


def test_an_evaluation_without_the_monitor_never_replaces_the_best(
    tmp_path: Path, tiny_spec: MakeSpec, evaluations: Callable[[Values], None],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    evaluations([{"skin/ssim": None}, {"skin/ssim": 0.5}, {"skin/ssim": None}, {"skin/ssim": 0.4}])
    run = Pipeline(make(tiny_spec, 4), output=tmp_path / "run").fit().run
    best = read_checkpoint(run.checkpoint("best"))
    assert best.about["best"] == {"metric": "skin/ssim", "value": 0.5, "step": 2}
    assert best.about["monitor"] == {"metric": "skin/ssim", "direction": "higher"}
    assert (
        sum("skin/ssim chooses the best checkpoint but has no value" in text for text in caplog.messages) == 2
    )


def test_the_monitor_survives_resume(
    tmp_path: Path, tiny_spec: MakeSpec, evaluations: Callable[[Values], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    evaluations([{"skin/ssim": 0.5}, {"skin/ssim": 0.6}])
    Pipeline(make(tiny_spec, 1), output=tmp_path / "run").fit()
    monkeypatch.setattr(InpaintingModule, "monitor", lambda *_: pytest.fail("it is fixed"))
    run = Pipeline(make(tiny_spec, 2), output=tmp_path / "run", resume=True).fit().run
    assert read_checkpoint(run.checkpoint("best")).about["best"]["value"] == 0.6


def test_a_metric_that_cannot_work_is_passed_over_before_the_run(
    tmp_path: Path, tiny_spec: MakeSpec, caplog: pytest.LogCaptureFixture
) -> None:
    spec = make(tiny_spec, 1)
    spec["metrics"] = [{"type": "ms_ssim", "scales": 5}, "psnr"]
    run = Pipeline(spec, output=tmp_path / "run").fit().run
    assert read_checkpoint(run.checkpoint("best")).about["best"]["metric"] == "skin/psnr"
    assert any("ms_ssim cannot choose the best checkpoint" in text for text in caplog.messages)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Blank a mask of all samples."""

    def blank(mask: str) -> None:
        real = MannequinsDataset.load

        def load(self: MannequinsDataset, name: str) -> Sample:
            sample = real(self, name)
            if mask not in sample.fields:  # training samples have no region that only metrics use
                return sample
            field = sample.fields[mask]
            empty = replace(field, value=np.zeros_like(field.value))
            return replace(sample, fields={**sample.fields, mask: empty})

        monkeypatch.setattr(MannequinsDataset, "load", load)

    return blank


def test_without_skin_the_image_is_monitored(
    tmp_path: Path, tiny_spec: MakeSpec, without: Callable[[str], None]
) -> None:
    without("segmentation_skin")
    spec = make(tiny_spec, 1, composite="protect")
    spec["data"]["inputs"] = ["apparel_head_foot", "line"]
    run = Pipeline(spec, output=tmp_path / "run").fit().run
    assert read_checkpoint(run.checkpoint("best")).about["best"]["metric"] == "image/ssim"


def test_a_region_that_no_sample_shows_is_passed_over(
    tmp_path: Path, tiny_spec: MakeSpec, without: Callable[[str], None]
) -> None:
    without("hands")
    spec = make(tiny_spec, 1)
    spec["metrics"] = [{"type": "mse", "regions": ["hands", "arms"]}]
    run = Pipeline(spec, output=tmp_path / "run").fit().run
    assert read_checkpoint(run.checkpoint("best")).about["best"]["metric"] == "arms/mse"


@pytest.mark.parametrize(
    ("monitor", "best"),
    [
        ("skin/ssim", None),
        ({"metric": "skin/ssim"}, None),
        ({"metric": ["skin/ssim"], "direction": "higher"}, None),
        ({"metric": "skin/ssim", "direction": "up"}, None),
        (None, "0.5"),
        (None, {"metric": "skin/ssim"}),
        (None, {"metric": "skin/ssim", "value": "0.5", "step": 2}),
        (None, {"metric": "skin/ssim", "value": 0.5, "step": [2]}),
    ],
)
def test_a_damaged_monitor_is_not_used(monitor: Any, best: Any) -> None:
    assert read_monitor(None, None) == (None, None)
    with pytest.raises(ValueError, match="validation error"):
        read_monitor(monitor, best)
