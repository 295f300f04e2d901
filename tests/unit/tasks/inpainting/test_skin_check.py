from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skinfw import Pipeline
from skinfw.components.field_names import SKIN
from skinfw.data.loading import Loader
from skinfw.errors import DataError
from skinfw.tasks.inpainting.skin_check import require_skin
from skinfw.testing import example_dataset_io
from skinfw_plugins.datasets.config import FolderConfig
from skinfw_plugins.datasets.folder import FolderDataset

SampleWriter = Callable[..., Path]
NAMES = ("anna", "bob", "cleo")


def dataset(root: Path, *inputs: str) -> FolderDataset:
    io = example_dataset_io((64, 48), ("apparel_head_foot", *inputs))
    return FolderDataset(FolderConfig(root=root), io)


@pytest.fixture
def bare(tmp_path: Path, write_sample: SampleWriter) -> Path:
    """Three samples without skin."""
    for name in NAMES:
        write_sample(tmp_path / "samples" / name)
        Image.fromarray(np.zeros((64, 48), np.uint8)).save(
            tmp_path / "samples" / name / "segmentation_skin.png"
        )
    return tmp_path / "samples"


def test_no_skin_anywhere(bare: Path) -> None:
    with pytest.raises(
        DataError, match="none of the 3 training samples has skin: segmentation_skin is black"
    ):
        require_skin(dataset(bare, SKIN), NAMES)
    require_skin(dataset(bare), NAMES)


def test_one_sample_with_skin_is_enough(bare: Path, write_sample: SampleWriter) -> None:
    write_sample(bare / "dora")
    require_skin(dataset(bare, SKIN), (*NAMES, "dora"))


def test_a_run_stops_before_it_begins(bare: Path, tmp_path: Path) -> None:
    pipeline = Pipeline(
        name="bare",
        data={"dataset": {"type": "folder", "root": str(bare)}, "size": [64, 48], "test_fraction": 0.3},
        generator={"type": "pix2pix"},
        composite="skin",
        losses=["l1"],
        training={"steps": 1, "batch_size": 1},
        output=tmp_path / "run",
    )
    with pytest.raises(DataError, match="training samples has skin"):
        pipeline.fit()
    assert not list((tmp_path / "run").rglob("*.safetensors"))


def test_single_samples_are_named_once(
    bare: Path, write_sample: SampleWriter, caplog: pytest.LogCaptureFixture
) -> None:
    write_sample(bare / "dora")
    loader = Loader(dataset(bare, SKIN), (*NAMES, "dora"), batch_size=2, shown=[SKIN])
    with caplog.at_level(logging.WARNING, "skinfw"):
        for _ in range(2):
            list(loader)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == list(NAMES)
