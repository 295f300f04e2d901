"""One exported file that several tests look at."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from skinfw.export.export import Exported, export_run
from skinfw.runs.folder import Run

Make = Callable[..., Any]
INPUTS = ["apparel_head_foot", "line", "segmentation_skin", "face", "mask"]


@pytest.fixture(scope="package", autouse=True)
def _quick() -> Iterator[None]:
    """Let torch read onnxscript's functions once, half the time of a small export, and trace nothing."""
    # brings onnxscript: not while tests are collected
    from torch.onnx._internal.exporter import _registration

    registry = _registration.ONNXRegistry
    made = cache(registry.from_torchlib)
    trace = logging.getLogger("torch.__trace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "from_torchlib", staticmethod(lambda **options: made(**options)))
        patch.setattr(trace, "disabled", True)
        yield


@pytest.fixture(scope="package")
def make_inputs_run(make_run: Make) -> Make:
    """Make the run of a generator with random weights that sees all that the drawn people have."""

    def make(folder: Path, generator: dict[str, Any], **fields: Any) -> Run:
        data = {
            "dataset": {"type": "mannequins", "count": 12},
            "size": [32, 16],
            "inputs": INPUTS,
            "test_fraction": 0.25,
            "validation_fraction": 0.25,
            **fields.pop("data", {}),
        }
        plain = {"discriminator": None, "losses": ["l1"], "composite": "mask"}
        run: Run = make_run(folder, data=data, generator=generator, **{**plain, **fields})
        return run

    return make


@pytest.fixture(scope="package")
def run(make_inputs_run: Make, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of a generator of two stages, as that of the example for photos, but with a tiny refiner."""
    refiner = {"type": "pix2pix", "base_channels": 4, "depth": 1}
    generator = {"type": "two_stage", "coarse": "mean_color", "refiner": refiner}
    made: Run = make_inputs_run(tmp_path_factory.mktemp("run") / "run", generator)
    return made


@pytest.fixture(scope="package")
def exported(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Its exported file."""
    return export_run(run, tmp_path_factory.mktemp("exported") / "model.onnx", license_note="for tests")


@pytest.fixture
def samples(write_samples: Make, tmp_path: Path) -> Path:
    """Two samples without a target."""
    write_samples(tmp_path / "in", ["a", "b"], size=(64, 32), body=False)
    return tmp_path / "in"
