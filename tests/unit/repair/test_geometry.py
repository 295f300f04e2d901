"""The known geometries are undone: boxes by hand, pixels bit for bit where nothing is resized."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from try_on import pose

from skinfw.data.segmentation import Segmentation
from skinfw.repair.geometry import Box, Geometry, geometries


def by_fit(person: tuple[int, int], result: np.ndarray) -> dict[str, Geometry]:
    return {each.fit: each for each in geometries(person, result)}


def blank(height: int, width: int, level: int = 255) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def test_one_shape_is_plain_scaling() -> None:
    assert list(by_fit((1024, 768), blank(512, 384))) == ["scale"]
    assert list(by_fit((1024, 768), blank(1024, 768))) == ["scale"]
    assert list(by_fit((1001, 751), blank(512, 384))) == ["scale"]  # but for rounding


def test_crop_is_centered_as_the_systems_do() -> None:
    # a landscape photo of 100x200 in a result of 3:4: new_w = 100 * 384 // 512, box ((200 - 75) // 2, 0)
    crop = by_fit((100, 200), blank(512, 384))["crop"]
    assert crop.source == Box(62, 0, 137, 100)
    assert crop.target == Box(0, 0, 384, 512)
    # a tall photo loses top and bottom
    assert by_fit((200, 90), blank(512, 384))["crop"].source == Box(0, 40, 90, 160)


@pytest.mark.parametrize("level", [255, 128, 0])
def test_padding_of_known_levels(level: int) -> None:
    pad = by_fit((512, 256), blank(512, 384, level))["pad"]
    assert pad.target == Box(64, 0, 320, 512)
    assert pad.source == Box(0, 0, 256, 512)
    assert pad.shown.sum() == 512 * 256


def test_colored_borders_are_no_padding() -> None:
    image = blank(512, 384)
    image[:, :, 2] = 90
    assert "pad" not in by_fit((512, 256), image)


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_pixels_that_are_not_resized_stay(fit: str) -> None:
    source = np.random.default_rng(0)
    size = (80, 60) if fit == "crop" else (80, 40)
    photo = source.integers(0, 256, (80, 90, 3) if fit == "crop" else (80, 40, 3), np.uint8)
    geometry = by_fit(photo.shape[:2], blank(80, 60))[fit]
    placed = geometry.image(photo)
    box = photo[:, 15:75] if fit == "crop" else photo
    assert placed.shape == (80, 60, 3)
    assert (placed[geometry.target.slices] == box).all()
    assert (placed[~geometry.shown] == 255).all()
    assert geometry.target.size == size


def test_resizing_agrees_with_pillow() -> None:
    photo = np.asarray(
        Image.fromarray(np.random.default_rng(1).integers(0, 256, (12, 9, 3), np.uint8)).resize((180, 240))
    )
    placed = by_fit((240, 180), blank(120, 90))["scale"].image(photo)
    expected = np.asarray(Image.fromarray(photo).resize((90, 120), Image.Resampling.BOX))
    assert np.abs(placed.astype(int) - expected).max() <= 1


def test_labels_and_pose_move_with_the_pixels() -> None:
    labels = np.zeros((240, 180), np.uint8)
    labels[120:, 90:] = 1
    found = Segmentation(labels, ("background", "skin"), {"background": ("background",), "skin": ("skin",)})
    geometry = by_fit((240, 180), blank(120, 140))["pad"]
    placed = geometry.segmentation(found)
    assert placed.labels.shape == (120, 140)
    assert placed.labels[60:, 70:115].all()
    assert placed.labels.sum() == 60 * 45
    moved = geometry.keypoints(pose()).point("Neck")
    # 240x180 becomes 120x90 at x = 25; pixel centers: 58 -> 28.75, 90 -> 44.75 + 25
    assert moved[:2].tolist() == pytest.approx([69.75, 28.75])
