"""Drawn people on disk, as DeepFashion has them and as the report has them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_photos import write_drawn_photo
from PIL import Image

from skinfw.data.keypoints import Keypoints
from skinfw_plugins.datasets.mannequin import CLASSES, draw_person
from skinfw_plugins.segmenters.deepfashion_classes import REGIONS

PhotoWriter = Callable[..., Path]
SampleWriter = Callable[..., Path]


@pytest.fixture(scope="session")
def write_photo() -> PhotoWriter:
    """Write a photo with its label map and its pose; returns the photo's path."""

    return write_drawn_photo


@pytest.fixture(scope="session")
def write_sample() -> SampleWriter:
    """Write a sample folder in the report's way, without alpha or record; returns the folder."""

    def write(folder: Path, seed: int = 0, size: tuple[int, int] = (64, 48), suffix: str = ".png") -> Path:
        drawing = draw_person(seed, size)

        def region(*names: Any) -> Any:
            members = [CLASSES.index(name) for part in names for name in REGIONS[part] if name in CLASSES]
            return np.isin(drawing.labels, members)[..., None]

        images = {
            "apparel_head_foot": np.where(region("head", "feet", "apparel"), drawing.image, 255),
            "body": np.where(region("background"), 255, drawing.image),
            "segmentation_skin": np.repeat(region("skin"), 3, axis=2) * 255,
        }
        folder.mkdir(parents=True, exist_ok=True)
        for name, image in images.items():
            Image.fromarray(image.astype(np.uint8)).save(folder / f"{name}{suffix}", quality=92)
        pose = json.dumps(Keypoints(drawing.points).to_json())
        (folder / "keypoints.json").write_text(pose, encoding="utf-8")
        return folder

    return write
