"""Drawn people in the folders of published data sets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from skinfw.components.config import Size
from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw_plugins.datasets.mannequin import CLASSES, draw_person
from skinfw_plugins.pose_encoders.orders import COCO_18, DEEPFASHION_21
from skinfw_plugins.segmenters.label_sets import LABEL_SETS, LabelSet

SIZE = (96, 64)

ATR_NAMES = {
    "skin": "left_arm", "top": "upper_clothes", "outer": "upper_clothes", "footwear": "left_shoe"
}  # fmt: skip
"""What ATR calls the classes of drawn people, where it is something else."""

CIHP_NAMES = {**ATR_NAMES, "outer": "coat"}
"""The same for LIP and CIHP."""


def label_set(name: str) -> LabelSet:
    """Return a label set by its name."""
    return next(found for known, found in LABEL_SETS.items() if known == name)


def write_person(
    photo: Path, label_map: Path, labels: str, names: Mapping[str, str], seed: int = 0, size: Size = SIZE
) -> Keypoints:
    """Write a drawn person and a palette image of class codes; returns the pose."""
    drawing = draw_person(seed, size)
    known = label_set(labels)
    codes = np.array([known.classes.index(names.get(name, name)) for name in CLASSES], np.uint8)
    image = Image.fromarray(codes[drawing.labels])
    image.putpalette([value for color in known.palettes()[-1] for value in color])
    for path, written in ((photo, Image.fromarray(drawing.image)), (label_map, image)):
        path.parent.mkdir(parents=True, exist_ok=True)
        written.save(path, quality=95)
    return Keypoints(drawing.points)


def write_viton_hd(root: Path, split: str, names: Sequence[str], first: int = 0) -> list[Keypoints]:
    """Write people as VITON-HD has them, and a list of pairs."""
    folder, poses = root / split, []
    for seed, name in enumerate(names, first):
        label_map = folder / "image-parse-v3" / f"{name}.png"
        pose = write_person(folder / "image" / f"{name}.jpg", label_map, "cihp", CIHP_NAMES, seed)
        path = folder / "openpose_json" / f"{name}_keypoints.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(pose.to_json()), encoding="utf-8")
        poses.append(pose)
    lines = "".join(f"{name}.jpg {name}.jpg\n" for name in names)
    (root / f"{split}_pairs.txt").write_text(lines, encoding="utf-8")
    return poses


def write_dress_code(root: Path, category: str, names: Sequence[str], first: int = 0) -> list[Keypoints]:
    """Write people and garments as Dress Code has them; the points are those of half the size."""
    folder, poses = root / category, []
    for seed, name in enumerate(names, first):
        photo = folder / "images" / f"{name}_0.jpg"
        pose = write_person(photo, folder / "label_maps" / f"{name}_4.png", "atr", ATR_NAMES, seed)
        Image.new("RGB", SIZE[::-1], (200, 30, 30)).save(photo.with_name(f"{name}_1.jpg"))
        path = folder / "keypoints" / f"{name}_2.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"keypoints": dress_code_rows(pose)}), encoding="utf-8")
        poses.append(pose)
    return poses


def dress_code_rows(pose: Keypoints) -> list[list[float]]:
    """Return a pose at half its size as Dress Code's rows of x, y, confidence and index."""
    half = pose.mapped(0.5, 0.5, -0.25, -0.25)
    return [[*map(float, half.point(name)), float(index)] for index, name in enumerate(COCO_18)]


def write_deepfashion_multimodal(root: Path, names: Sequence[str]) -> list[Keypoints]:
    """Write people as DeepFashion-MultiModal has them, with its 21 points."""
    poses, places, seen = [], [], []
    for seed, name in enumerate(names):
        label_map = root / "segm" / f"{name}_segm.png"
        pose = write_person(root / "images" / f"{name}.jpg", label_map, "deepfashion_multimodal", {}, seed)
        rows = [pose.point(point) if point in BODY_25 else np.zeros(3) for point in DEEPFASHION_21]
        spots = [f"{row[0]:.0f} {row[1]:.0f}" if row[2] > 0 else "-1 -1" for row in rows]
        places.append(f"{name}.jpg {' '.join(spots)}\n")
        seen.append(f"{name}.jpg {' '.join('0' if row[2] > 0 else '2' for row in rows)}\n")
        poses.append(pose)
    (root / "keypoints").mkdir(parents=True, exist_ok=True)
    (root / "keypoints" / "keypoints_loc.txt").write_text("".join(places), encoding="utf-8")
    (root / "keypoints" / "keypoints_vis.txt").write_text("".join(seen), encoding="utf-8")
    return poses
