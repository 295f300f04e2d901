"""A tiny run on drawn photos, and a photo to paint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_photos import write_drawn_photo
from PIL import Image

from skinfw.inference.inpainter import Inpainter


@pytest.fixture(scope="session")
def photo_run(make_run: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder whose samples are prepared from drawn photos, with label maps and poses beside them."""
    folder = tmp_path_factory.mktemp("photo_run")
    for number in range(6):
        write_drawn_photo(folder / "photos" / f"p{number}.png", number)
    dataset = {
        "type": "photos",
        "root": str(folder / "photos"),
        "cache": str(folder / "cache"),
        "prepare": {"crop": {"aspect": 2, "margin": 0.1}, "margin": 1, "num_workers": 1},
    }
    data = {
        "dataset": dataset,
        "size": [32, 16],
        "inputs": ["apparel_head_foot", "line", "segmentation_skin", "face", "mask"],
    }
    return Path(make_run(folder / "run", data=data, composite="mask").folder)


@pytest.fixture(scope="session")
def inpainter(photo_run: Path) -> Inpainter:
    """The model of that run."""
    return Inpainter.load(photo_run, device="cpu")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A drawn photo of 192x128 pixels, with its label map and pose."""
    return write_drawn_photo(tmp_path / "photos" / "anna.png", 1, (192, 128))


@pytest.fixture
def arms(inpainter: Inpainter, photo: Path) -> np.ndarray:
    """The skin of that person's arms and legs, bool ``(192, 128)``, without what is on the trunk."""
    from skinfw.data.photo import Photo
    from skinfw.data.trunk import trunk_of_pose

    opened = Photo.read(photo)
    labels = inpainter.segmenter.segment(opened)
    pose = inpainter.pose_encoder.keypoints(opened, labels.person)
    assert pose is not None
    trunk = trunk_of_pose(pose, opened.size)
    assert trunk is not None
    found: np.ndarray = labels.region("skin") & ~trunk
    assert found.sum() > 100
    return found


@pytest.fixture
def save_mask(tmp_path: Path) -> Callable[..., Path]:
    """Write a mask as a black-and-white PNG."""

    def write(mask: np.ndarray, name: str = "mask.png") -> Path:
        path = tmp_path / "masks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask.astype(np.uint8) * 255).save(path)
        return path

    return write
