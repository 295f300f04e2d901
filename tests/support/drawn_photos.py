"""Photos of drawn people, as DeepFashion has them: photo, label map and OpenPose's keypoints."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from skinfw.data.keypoints import Keypoints
from skinfw_plugins.datasets.mannequin import CLASSES, draw_person
from skinfw_plugins.segmenters.deepfashion_classes import PALETTES


def write_drawn_photo(
    path: Path, seed: int = 0, size: tuple[int, int] = (96, 64), pose_folder: Path | None = None
) -> Path:
    """Write a photo with its label map beside it; returns the photo's path.

    Args:
        path: the photo.
        seed: which person.
        size: height and width in pixels.
        pose_folder: where the pose goes; None: beside the photo.
    """
    drawing = draw_person(seed, size)
    colors = {name: color for color, name in PALETTES["files"].items()}
    label_map = np.array([colors[name] for name in CLASSES], np.uint8)[drawing.labels]
    pose = json.dumps(Keypoints(drawing.points).to_json())
    poses = pose_folder or path.parent
    for folder in (path.parent, poses):
        folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(drawing.image).save(path)
    Image.fromarray(label_map).save(path.with_name(f"{path.stem}_segment.png"))
    (poses / f"{path.stem}_keypoints.json").write_text(pose, encoding="utf-8")
    return path
