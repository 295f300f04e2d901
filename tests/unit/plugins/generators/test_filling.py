"""The baselines as a composite takes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from skinfw.components.field_names import APPAREL, BODY, SKIN
from skinfw.components.reference import use
from skinfw.data.batch import Batch, collate
from skinfw.data.sample_folder import read_sample
from skinfw.inference.composite import composite, composite_mask
from skinfw.interfaces import Generator
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.prepare import prepare
from skinfw.specs.spec import Composite
from skinfw.testing import example_dataset_io, example_generator_io
from skinfw_plugins.generators.config import MeanColorConfig, OpenCvInpaintConfig
from skinfw_plugins.generators.mean_color import MeanColorGenerator
from skinfw_plugins.generators.opencv_inpaint import OpenCvInpaintGenerator

INPUTS = ("apparel_head_foot", "face", "segmentation_skin", "mask")
SIZE = (96, 64)
BASELINES = [(OpenCvInpaintGenerator, OpenCvInpaintConfig), (MeanColorGenerator, MeanColorConfig)]


@pytest.fixture
def batch(tmp_path: Path, write_photo: Callable[..., Path]) -> Batch:
    """A prepared photo, where three pixels around the skin are erased."""
    write_photo(tmp_path / "photos" / "anna.png", size=SIZE)
    components = use("segmenter", "deepfashion"), use("pose_encoder", "openpose")
    prepare(tmp_path / "photos", tmp_path / "out", *components, PrepareConfig(num_workers=1, margin=3))
    return collate([read_sample(tmp_path / "out" / "anna", "anna", example_dataset_io(SIZE, INPUTS))])


def painted(kind: Any, config: Any, batch: Batch, mode: Composite) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the image after the composite, and where it was painted."""
    generator: Generator[Any] = kind(config, example_generator_io(SIZE, INPUTS))
    region = composite_mask(mode, batch)
    output = composite(generator(batch.condition(INPUTS)), batch[APPAREL], region)
    return output, region[:, 0] > 0.5


@pytest.mark.parametrize(("kind", "config"), BASELINES)
def test_the_ring_over_clothes_is_painted(kind: Any, config: Any, batch: Batch) -> None:
    output, region = painted(kind, config(), batch, "mask")
    ring = region & (batch[SKIN][:, 0] < 0.5)
    clothes = ring & (batch[BODY].amin(dim=1) < 0.99)
    assert clothes.sum() > 50
    white = batch[APPAREL]
    assert (white[:, :, clothes[0]] == 1).all()
    # between background and clothes OpenCV may paint white, but not on most of them
    assert (output.amin(dim=1)[clothes] < 0.99).float().mean() > 0.8

    def error(image: torch.Tensor, where: torch.Tensor) -> float:
        return float(((image - batch[BODY]) ** 2).amax(dim=1)[where].mean())

    assert error(output, clothes) < 0.7 * error(white, clothes)
    assert error(output, ring) < error(white, ring)


@pytest.mark.parametrize(("kind", "config"), BASELINES)
def test_the_ring_does_not_count_in_a_composite_on_the_skin(kind: Any, config: Any, batch: Batch) -> None:
    output, region = painted(kind, config(), batch, "skin")
    assert torch.equal(region, batch[SKIN][:, 0] > 0.5)
    kept = ~region[:, None].expand_as(output)
    assert torch.equal(output[kept], batch[APPAREL][kept])
