"""A loss from elsewhere trains a parser, and no file of skinfw changes."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import skinfw
from skinfw.components.registry import installed
from skinfw.testing import check_component, check_segmentation_loss

MANIFEST = """
[[component]]
kind = "segmentation_loss"
name = "focal"
target = "skinfw_focal:FocalLoss"
config = "skinfw_focal:FocalConfig"
summary = "Focal loss of Lin et al. (2017)."
"""

CODE = '''
import torch
from pydantic import Field
from torch.nn.functional import cross_entropy

from skinfw.components.config import SegmentationLossConfig
from skinfw.data.classes import UNKNOWN
from skinfw.interfaces import SegmentationLoss


class FocalConfig(SegmentationLossConfig):
    """The focal loss."""

    gamma: float = Field(default=2.0, ge=0, description="how much easy pixels are discounted")


class FocalLoss(SegmentationLoss[FocalConfig]):
    """The focal loss."""

    def sums(self, logits, labels):
        each = cross_entropy(logits, labels, ignore_index=UNKNOWN, reduction="none")
        focal = (1 - (-each).exp()) ** self.config.gamma * each
        return torch.stack([focal.sum(), (labels != UNKNOWN).sum().float()])

    def value(self, sums):
        return sums[0] / sums[1].clamp(min=1)
'''


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    package = tmp_path / "plugin" / "skinfw_focal"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(CODE, encoding="utf-8")
    (package / "registry.toml").write_text(MANIFEST, encoding="utf-8")
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.setenv("SKINFW_REGISTRIES", str(package / "registry.toml"))
    installed.cache_clear()
    yield importlib.import_module("skinfw_focal")
    installed.cache_clear()
    sys.modules.pop("skinfw_focal", None)


def test_a_parser_trains_with_it(
    plugin: Any,
    write_labeled_photos: Callable[..., Any],
    segmentation_spec: Callable[..., dict[str, Any]],
    tmp_path: Path,
) -> None:
    check_component(installed(), "segmentation_loss", "focal")
    check_segmentation_loss(plugin.FocalLoss, plugin.FocalConfig(weight=2))
    write_labeled_photos(tmp_path / "photos", 16)
    value = segmentation_spec(tmp_path / "photos", losses=[{"type": "focal", "gamma": 1}, "dice"])
    run = skinfw.run(value, output=tmp_path / "run")
    steps = [each["losses"] for each in run.read_log() if each["event"] == "step"]
    assert steps and all(each.keys() == {"focal", "dice"} for each in steps)
    filled = json.loads((run.folder / "spec.json").read_text(encoding="utf-8"))
    assert [each["type"] for each in filled["losses"]] == ["focal", "dice"]
