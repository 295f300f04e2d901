from __future__ import annotations

from pathlib import Path

import numpy as np

from skinfw.data.photo import Photo
from skinfw.inference.background import behind_limbs, fill_background
from skinfw.inference.inpainter import Inpainter


def test_the_skin_of_a_person_is_not_behind_the_limbs(
    inpainter: Inpainter, photo: Path, arms: np.ndarray
) -> None:
    opened = Photo.read(photo)
    pose = inpainter.pose_encoder.keypoints(opened)
    assert pose is not None
    assert not behind_limbs(arms, pose).any()


def test_a_wide_sleeve_shows_the_background_beside_the_arm(
    inpainter: Inpainter, photo: Path, arms: np.ndarray
) -> None:
    opened = Photo.read(photo)
    labels = inpainter.segmenter.segment(opened)
    pose = inpainter.pose_encoder.keypoints(opened)
    assert pose is not None
    x, y, _ = pose.point("RElbow").astype(int).tolist()
    sleeve = np.zeros_like(arms)
    sleeve[y - 8 : y + 8, max(0, x - 30) : x + 8] = True
    sleeve &= labels.region("background") | labels.region("skin") | labels.region("apparel")
    behind = behind_limbs(sleeve, pose)
    assert behind[y, max(0, x - 29)]
    assert not behind[y, x]
    pixels = np.full((*arms.shape, 3), (90, 120, 150), np.uint8)
    pixels[labels.person] = opened.pixels[labels.person]
    painted = inpainter.paint(pixels, sleeve, segmentation=labels, keypoints=pose)
    assert painted.report["background"] == behind.sum()
    assert any("filled as background" in each for each in painted.report["warnings"])
    far = behind & (np.indices(behind.shape)[1] < x - 24)
    assert np.abs(painted.image[far].astype(int) - (90, 120, 150)).max() <= 12


def test_a_pose_that_does_not_fit_the_mask_makes_nothing_background(
    inpainter: Inpainter, photo: Path, arms: np.ndarray
) -> None:
    pose = inpainter.pose_encoder.keypoints(Photo.read(photo))
    assert pose is not None
    elsewhere = pose.mapped(1.0, 1.0, 40, 0)
    painted = inpainter.paint(photo, arms, keypoints=elsewhere)
    assert painted.report["background"] == 0


def test_only_what_is_behind_is_filled_and_from_outside_the_mask() -> None:
    photo = np.full((60, 60, 3), 80, np.uint8)
    mask, behind = np.zeros((60, 60), bool), np.zeros((60, 60), bool)
    mask[20:40, 20:40] = behind[20:40, 20:25] = True
    photo[mask] = 255
    filled = fill_background(photo, mask, behind)
    assert np.abs(filled[behind].astype(int) - 80).max() <= 3  # OpenCV rounds
    assert np.array_equal(filled[~behind], photo[~behind])


def test_large_holes_are_filled_at_a_reduced_size() -> None:
    photo = np.full((1500, 40, 3), 80, np.uint8)
    mask = np.zeros((1500, 40), bool)
    mask[20:1480, 10:30] = True
    photo[mask] = 255
    assert np.abs(fill_background(photo, mask, mask)[mask].astype(int) - 80).max() <= 3
