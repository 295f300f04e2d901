"""Taking a garment off: a model with alpha finds the skin in a region."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from skinfw.data.body_parts import ZONES
from skinfw.data.body_zones import zones_of_pose
from skinfw.data.keypoints import Keypoints
from skinfw.data.parts import dilate
from skinfw.data.photo import Photo
from skinfw.data.trunk import trunk_of_pose
from skinfw.errors import DataError, UserError
from skinfw.inference.inpainter import Inpainter

COLOR = (200, 120, 90)


class Finding:
    """A model with alpha that finds skin in one part of the mask that it sees."""

    def __init__(self, model: Any, part: Callable[[np.ndarray], np.ndarray]) -> None:
        self.inputs, self.size, self.multiple = model.inputs, model.size, model.multiple
        self.preparation, self.part = model.preparation, part

    def __call__(self, condition: Mapping[str, np.ndarray]) -> np.ndarray:
        image = np.full((*self.size, 4), (*COLOR, 0), np.uint8)
        image[self.part(condition["mask"][..., 0] > 127), 3] = 255
        return image


def finding(inpainter: Inpainter, part: Callable[[np.ndarray], np.ndarray]) -> Inpainter:
    return Inpainter(
        Finding(inpainter.model, part),
        inpainter.io,
        inpainter.segmenter,
        inpainter.pose_encoder,
        finds_skin=True,
    )


def rgb(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def pose_of(inpainter: Inpainter, photo: Path) -> Keypoints:
    opened = Photo.read(photo)
    pose = inpainter.pose_encoder.keypoints(opened, inpainter.segmenter.segment(opened).person)
    assert pose is not None
    return pose


@pytest.fixture
def person(inpainter: Inpainter, photo: Path) -> np.ndarray:
    """The whole person: a region that covers trunk and hands too."""
    labels = inpainter.segmenter.segment(Photo.read(photo))
    return labels.person & ~labels.region("head")


def with_rim(inpainter: Inpainter, photo: Path, region: np.ndarray) -> np.ndarray:
    """Return a region with the pixels that are painted around it: one pixel wide at this size."""
    labels = inpainter.segmenter.segment(Photo.read(photo))
    background = labels.region("background")
    outline = labels.region("apparel") & dilate(background, 1)
    return region | (dilate(region, 1) & (background | outline))


def test_trunk_hips_and_hands_stay_as_they_are(inpainter: Inpainter, photo: Path, person: np.ndarray) -> None:
    painted = finding(inpainter, lambda mask: mask).paint(photo, region=person)
    pose = pose_of(inpainter, photo)
    trunk, zones = trunk_of_pose(pose, (192, 128)), zones_of_pose(pose, (192, 128))
    assert trunk is not None and zones is not None
    apart = trunk | (zones == ZONES.index("hand"))
    left = person & apart
    assert left.any()
    assert np.array_equal(painted.mask, with_rim(inpainter, photo, person) & ~apart)
    everywhere = finding(inpainter, np.ones_like).paint(photo, region=person)
    rim = everywhere.mask & ~person
    assert rim.any() and everywhere.report["background"] == np.count_nonzero(rim)
    assert np.array_equal(painted.image[~painted.mask], rgb(photo)[~painted.mask])
    assert painted.report["mask"] == "region"
    assert painted.report["left"] == left.sum()
    told = " ".join(painted.report["warnings"])
    assert "on the trunk or the hips stay as" in told and "on the hands stay as" in told


def test_skin_where_it_is_found_and_background_elsewhere(
    inpainter: Inpainter, photo: Path, person: np.ndarray
) -> None:
    def right_half(mask: np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.arange(mask.shape[1]) >= mask.shape[1] // 2, mask.shape)

    first = finding(inpainter, right_half).paint(photo, region=person)
    assert 0 < first.report["background"] < first.report["painted"]
    pixels = rgb(photo).copy()
    pixels[first.mask] = (0, 255, 0)  # the old clothes under the region do not matter
    Image.fromarray(pixels).save(photo)
    second = finding(inpainter, right_half).paint(photo, region=person)
    assert np.array_equal(first.image, second.image)


def test_a_cut_out_stays_cut_out(inpainter: Inpainter, photo: Path, arms: np.ndarray) -> None:
    clear = inpainter.segmenter.segment(Photo.read(photo)).region("background")
    alpha = np.where(clear, np.uint8(0), np.uint8(255))
    Image.fromarray(np.dstack([rgb(photo), alpha])).save(photo)
    painted = finding(inpainter, np.ones_like).paint(photo, region=arms)
    assert (painted.mask & clear).any()
    assert painted.alpha is not None
    assert (painted.alpha[arms & painted.mask] == 255).all()
    assert (painted.alpha[painted.mask & clear & ~dilate(~clear, 4)] == 0).all()
    assert np.array_equal(painted.alpha[~painted.mask], alpha[~painted.mask])


def test_a_mask_says_where_skin_is_whatever_alpha_says(
    inpainter: Inpainter, photo: Path, arms: np.ndarray
) -> None:
    some, none = (
        finding(inpainter, lambda mask, every=every: mask & every).paint(photo, arms)
        for every in (True, False)
    )
    assert np.array_equal(some.image, none.image)


def test_what_cannot_be_bared_is_said(
    inpainter: Inpainter, photo: Path, person: np.ndarray, arms: np.ndarray
) -> None:
    with pytest.raises(UserError, match=r"does not find skin .* a model that does: skinfw:street-region, or"):
        inpainter.paint("no such photo.jpg", region=person)
    with pytest.raises(UserError, match="only one"):
        inpainter.paint(photo, arms, region=person)
    with pytest.raises(DataError, match="finds no skin"):
        finding(inpainter, np.zeros_like).paint(photo, region=person)
    trunk = trunk_of_pose(pose_of(inpainter, photo), (192, 128))
    with pytest.raises(DataError, match="never painted unasked"):
        finding(inpainter, lambda mask: mask).paint(photo, region=trunk)
    with pytest.raises(DataError, match="does not show where trunk"):
        nowhere = Keypoints(np.zeros((25, 3), np.float32))
        finding(inpainter, lambda mask: mask).paint(photo, region=person, keypoints=nowhere)
