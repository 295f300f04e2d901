"""A drawn person in old clothes, and a try-on result of known truth: no photos, no weights."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.data.segmentation import Mask, RgbImage, Segmentation

CLASSES = ("background", "skin", "face", "hair", "top", "pants", "footwear")
REGIONS = {
    "background": ("background",),
    "skin": ("skin",),
    "head": ("face", "hair"),
    "feet": ("footwear",),
    "apparel": ("top", "pants"),
}
SIZE = (240, 180)
SKIN = (200, 150, 120)
PAINT = (170, 110, 100)

# x, y of the joints in an image of SIZE
_JOINTS = {
    "Nose": (90, 34), "Neck": (90, 58), "MidHip": (90, 126), "RShoulder": (70, 60), "LShoulder": (110, 60),
    "RElbow": (52, 92), "LElbow": (128, 92), "RWrist": (40, 124), "LWrist": (140, 124), "RHip": (80, 126),
    "LHip": (100, 126), "RKnee": (78, 168), "LKnee": (102, 168), "RAnkle": (78, 210), "LAnkle": (102, 210),
    "REye": (85, 30), "LEye": (95, 30), "REar": (79, 32), "LEar": (101, 32),
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """A person: photo, label map, pose, and the same body with bare arms."""

    photo: RgbImage
    parse: Segmentation
    pose: Keypoints
    bare: RgbImage
    parse_bare: Segmentation


def pose() -> Keypoints:
    points = np.zeros((25, 3), np.float32)
    for name, place in _JOINTS.items():
        points[BODY_25.index(name)] = (*place, 0.9)
    return Keypoints(points)


def draw_person() -> Person:
    """Draw somebody in a long-sleeved top before a wall, and without the sleeves."""
    source = np.random.default_rng(0)
    bare = np.zeros(SIZE, np.uint8)

    def line(color: str, width: int, *names: str) -> None:
        places = np.array([_JOINTS[name] for name in names], np.int32)
        cv2.polylines(bare, [places.reshape(-1, 1, 2)], False, CLASSES.index(color), width)

    cv2.circle(bare, (90, 30), 20, CLASSES.index("hair"), -1)
    cv2.circle(bare, (90, 36), 15, CLASSES.index("face"), -1)
    line("skin", 12, "Nose", "Neck")
    cv2.circle(bare, (90, 36), 15, CLASSES.index("face"), -1)
    line("pants", 24, "RHip", "RKnee", "RAnkle")
    line("pants", 24, "LHip", "LKnee", "LAnkle")
    cv2.rectangle(bare, (70, 210), (86, 222), CLASSES.index("footwear"), -1)
    cv2.rectangle(bare, (94, 210), (110, 222), CLASSES.index("footwear"), -1)
    cv2.rectangle(bare, (68, 58), (112, 128), CLASSES.index("top"), -1)
    for side in "RL":
        line("skin", 13, f"{side}Shoulder", f"{side}Elbow", f"{side}Wrist")
        wrist, elbow = (np.array(_JOINTS[f"{side}{name}"]) for name in ("Wrist", "Elbow"))
        hand = (wrist + 0.25 * (wrist - elbow)).astype(int)
        cv2.circle(bare, (int(hand[0]), int(hand[1])), 9, CLASSES.index("skin"), -1)
    worn = bare.copy()
    for side in "RL":
        places = np.array([_JOINTS[f"{side}{name}"] for name in ("Shoulder", "Elbow", "Wrist")], np.int32)
        cv2.polylines(worn, [places.reshape(-1, 1, 2)], False, CLASSES.index("top"), 15)
    wall = cv2.GaussianBlur(source.uniform(0, 255, (*SIZE, 3)).astype(np.float32), (0, 0), 2.5)
    wall = 128 + (wall - wall.mean()) * 5
    detail = cv2.GaussianBlur(source.normal(0, 1, SIZE).astype(np.float32), (0, 0), 1.5)[..., None] * 60
    colors = np.array([(0, 0, 0), SKIN, SKIN, (60, 40, 30), (40, 60, 150), (70, 70, 80), (20, 20, 20)])

    def painted(labels: np.ndarray) -> RgbImage:
        image = np.where((labels == 0)[..., None], wall, colors[labels] + detail)
        return np.clip(image, 0, 255).astype(np.uint8)

    return Person(
        painted(worn), Segmentation(worn, CLASSES, REGIONS), pose(), painted(bare),
        Segmentation(bare, CLASSES, REGIONS),
    )  # fmt: skip


def try_on(person: Person, tint: tuple[int, int, int] = (14, -6, -10)) -> RgbImage:
    """Return a result: bare arms, a green top, tinted and a little blurred."""
    image = person.bare.copy()
    image[person.parse_bare.of_classes("top")] = (30, 140, 60)
    blurred = cv2.GaussianBlur(image, (0, 0), 0.8).astype(np.float32) + tint
    return np.clip(blurred, 0, 255).astype(np.uint8)


def relabeled(found: Segmentation, where: Mask, name: str) -> Segmentation:
    """Return a segmentation with another class on a mask."""
    labels = found.labels.copy()
    labels[where] = found.classes.index(name)
    return replace(found, labels=labels)


@dataclass
class FlatPainted:
    image: RgbImage
    mask: Mask


class FlatPainter:
    """Paints one color, `PAINT`, and remembers what it was given."""

    name = "flat"

    def __init__(self, spill: int = 0) -> None:
        self.spill = spill

    def paint(
        self, image: RgbImage, mask: Mask, *, segmentation: Segmentation, keypoints: Keypoints
    ) -> FlatPainted:
        self.image, self.mask = image.copy(), mask.copy()
        self.segmentation, self.keypoints = segmentation, keypoints
        painted = image.copy()
        painted[mask] = PAINT
        painted[0, : self.spill] = 77
        return FlatPainted(painted, mask)


def write_pair(
    folder: Path, name: str, result_name: str | None = None, *, result: RgbImage | None = None
) -> None:
    """Write the person below ``photos`` and a result below ``results``, each with its label map beside it."""
    person = draw_person()
    made = try_on(person) if result is None else result
    for kind, path, parse, image in (
        ("photos", name, person.parse, person.photo),
        ("results", result_name or name, person.parse_bare, made),
    ):
        file = folder / kind / f"{path}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
        Image.fromarray(parse.labels).save(file.with_name(f"{file.stem}_labels.png"))
    pose_file = folder / "openpose" / f"{name}_keypoints.json"
    pose_file.parent.mkdir(parents=True, exist_ok=True)
    pose_file.write_text(json.dumps(person.pose.to_json()))


SEGMENTER = {
    "type": "label_map",
    "labels": {"classes": list(CLASSES), "regions": {name: list(each) for name, each in REGIONS.items()}},
    "suffix": "_labels.png",
}
"""Reads the label maps that `write_pair` writes, as a spec names it."""
