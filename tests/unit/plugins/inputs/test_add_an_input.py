"""The plugin of docs/how-to/add-an-input.md: it adds a conditioning image, and no file of skinfw changes."""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import skinfw
from skinfw.components.reference import use
from skinfw.components.registry import installed
from skinfw.data.label_file import sample_palette
from skinfw.data.sample_folder import FolderParts
from skinfw.errors import SpecError
from skinfw.specs.spec import parse_spec
from skinfw.testing import check_component, check_input

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "add-an-input.md"


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Write the page's plugin to disk and make it known, as the page says."""
    text = PAGE.read_text(encoding="utf-8")
    code, manifest = (
        match[1]
        for match in (
            re.search(r"__init__\.py`:\n\n```python\n(.*?)```", text, re.DOTALL),
            re.search(r"registry\.toml`:\n\n```toml\n(.*?)```", text, re.DOTALL),
        )
        if match is not None
    )
    package = tmp_path / "plugin" / "skinfw_densepose"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(code, encoding="utf-8")
    (package / "registry.toml").write_text(manifest, encoding="utf-8")
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(package.parent), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("SKINFW_REGISTRIES", str(package / "registry.toml"))
    installed.cache_clear()
    yield package.parent
    installed.cache_clear()
    sys.modules.pop("skinfw_densepose", None)


@pytest.fixture
def samples(tmp_path: Path, write_samples: Callable[..., list[Path]]) -> Path:
    """Sample folders with a ``densepose.png`` each."""
    folders = write_samples(tmp_path / "samples", [f"person{index}" for index in range(20)])
    for index, folder in enumerate(folders):
        parts = np.full((32, 32), index + 3, np.uint8)
        Image.fromarray(parts).save(folder / "densepose.png")
    return tmp_path / "samples"


def spec(samples: Path) -> dict[str, Any]:
    return {
        "name": "dense",
        "data": {
            "dataset": {"type": "folder", "root": str(samples)},
            "size": [32, 32],
            "inputs": ["apparel_head_foot", "densepose", "segmentation_skin"],
        },
        "generator": {"type": "pix2pix", "base_channels": 4},
        "composite": "mask",
        "augmentations": ["flip", "affine"],
        "losses": ["l1"],
        "baselines": [],
        "metrics": ["psnr"],
        "training": {"epochs": 1, "batch_size": 4, "device": "cpu", "threads": 1},
    }


def test_it_passes_the_contract(plugin: Path, samples: Path) -> None:
    check_component(installed(), "input", "densepose")
    module = importlib.import_module("skinfw_densepose")
    check_input(module.DenseposeInput, module.DenseposeConfig(), FolderParts(samples / "person3"))


def test_a_run_trains_with_it_and_shows_it(plugin: Path, samples: Path, tmp_path: Path) -> None:
    skinfw.run(spec(samples), output=tmp_path / "run")
    shown = sorted((tmp_path / "run" / "samples" / "test").glob("best-1-densepose.png"))
    assert len(shown) == 1
    colors = np.asarray(Image.open(shown[0]))
    assert colors.shape == (32, 32, 3) and (colors == colors[0, 0]).all()
    assert colors[0, 0].tolist() in sample_palette()[3:23].tolist()
    assert "densepose" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    # what the network saw is part of the record
    filled = json.loads((tmp_path / "run" / "spec.json").read_text(encoding="utf-8"))
    inputs = [each["type"] for each in filled["data"]["inputs"]]
    assert inputs == ["apparel_head_foot", "densepose", "segmentation_skin"]


def test_a_sample_without_the_file_is_named(plugin: Path, samples: Path, tmp_path: Path) -> None:
    from skinfw.assembly.assemble import build_dataset
    from skinfw.errors import DataError
    from skinfw.specs.spec import inpainting_spec

    (samples / "person7" / "densepose.png").unlink()
    dataset = build_dataset(inpainting_spec(parse_spec(spec(samples)), "spec"))
    assert dataset.load("person6")["densepose"][0, 0] == 9
    with pytest.raises(DataError, match=r"person7: densepose\.png is missing; run DensePose"):
        dataset.load("person7")


def test_without_the_plugin_the_spec_names_what_is_missing(samples: Path) -> None:
    with pytest.raises(SpecError, match=r"\$\.data\.inputs\[1\]: unknown input 'densepose'"):
        parse_spec(spec(samples))
    assert use("input", "line").name == "line"
