"""Taking sleeves and trouser legs off by the pose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from distances import distance
from PIL import Image

from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.data.parts import dilate
from skinfw.data.photo import Photo
from skinfw.data.segmentation import Segmentation
from skinfw.errors import DataError, UserError
from skinfw.inference.expose import parse_limbs
from skinfw.inference.inpainter import Inpainter


@dataclass
class Dressed:
    """A drawn person in sleeves down to the wrists, wider than the arms.

    Attributes:
        photo: the file.
        labels: the label map.
        pose: the pose.
        arms: the skin under the sleeves.
        sleeves: the sleeves.
    """

    photo: Path
    labels: Segmentation
    pose: Keypoints
    arms: np.ndarray
    sleeves: np.ndarray

    def line(self, one: str, other: str) -> tuple[np.ndarray, np.ndarray]:
        return self.pose.point(one)[:2], self.pose.point(other)[:2]


@pytest.fixture
def dressed(inpainter: Inpainter, photo: Path) -> Dressed:
    opened = Photo.read(photo)
    labels = inpainter.segmenter.segment(opened)
    pose = inpainter.pose_encoder.keypoints(opened, labels.person)
    assert pose is not None
    skin, size = labels.region("skin"), opened.size
    near = [
        distance(pose.point(f"{side}{one}")[:2], pose.point(f"{side}{other}")[:2], size)
        for side in "RL"
        for one, other in (("Shoulder", "Elbow"), ("Elbow", "Wrist"))
    ]
    arms = skin & (np.min(near, axis=0) < 8)
    assert arms.sum() > 100
    sleeves = cv2.dilate(arms.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    sleeves &= arms | labels.region("background")
    code = labels.classes.index(labels.regions["apparel"][0])
    worn = replace(labels, labels=np.where(sleeves, np.uint8(code), labels.labels))
    return Dressed(photo, worn, pose, arms, sleeves)


def discs(
    begin: np.ndarray, end: np.ndarray, radii: tuple[float, float], scale: float, size: tuple[int, ...]
) -> np.ndarray:
    """Return the pixels in any of the discs along a line, whose radii change from one end to the other."""
    y, x = np.mgrid[: size[0], : size[1]]
    found = np.zeros(size, bool)
    for part in np.linspace(0, 1, 300):
        middle, radius = begin + part * (end - begin), radii[0] + part * (radii[1] - radii[0])
        found |= np.hypot(x - middle[0], y - middle[1]) <= radius * scale
    return found


def test_sleeves_become_arms_and_background(inpainter: Inpainter, dressed: Dressed) -> None:
    done = inpainter.paint(
        dressed.photo, expose=("forearms", "upper_arms"), segmentation=dressed.labels, keypoints=dressed.pose
    )
    before = np.asarray(Image.open(dressed.photo).convert("RGB"))
    assert np.array_equal(done.image[~done.mask], before[~done.mask])
    apparel, background = dressed.labels.region("apparel"), dressed.labels.region("background")
    beside = done.mask & ~apparel
    assert beside.any() and not (beside & ~(dilate(apparel, 1) & background)).any()
    assert (done.mask & dressed.sleeves).sum() > 0.5 * dressed.sleeves.sum()
    assert done.report["mask"] == "exposed" and not any(
        "far from" in each for each in done.report["warnings"]
    )
    # on a limb is skin, beside it background
    length = float(np.linalg.norm(np.subtract(*dressed.line("Neck", "MidHip"))))
    limbs, wider = (
        np.any(
            [
                discs(
                    *dressed.line(f"{side}{one}", f"{side}{other}"), radii, factor * length, done.mask.shape
                )
                for side in "RL"
                for one, other, radii in (
                    ("Shoulder", "Elbow", (0.11, 0.07)),
                    ("Elbow", "Wrist", (0.08, 0.06)),
                )
            ],
            axis=0,
        )
        for factor in (1, 1.4)
    )
    radii = [
        distance(*dressed.line(f"{side}{one}", f"{side}{other}"), done.mask.shape) / (radius * length)
        for side in "RL"
        for one, other, radius in (("Shoulder", "Elbow", 0.12), ("Elbow", "Wrist", 0.1))
    ]
    beside = done.mask & ~limbs
    assert done.report["background"] == pytest.approx(beside.sum(), rel=0.1) and beside.sum() > 20
    around = np.median(before[dressed.labels.region("background")], axis=0)
    skin = np.median(before[dressed.labels.region("skin")], axis=0)
    far_beside = done.mask & ~wider
    assert (
        np.linalg.norm(np.median(done.image[far_beside], axis=0) - around) < np.linalg.norm(skin - around) / 2
    )
    hands = [
        distance(wrist, wrist + 0.3 * (wrist - elbow), done.mask.shape) / (0.1 * length)
        for elbow, wrist in (dressed.line(f"{side}Elbow", f"{side}Wrist") for side in "RL")
    ]
    nearer = (np.min(hands, axis=0) < np.min(radii, axis=0) - 0.1) & (np.min(hands, axis=0) < 1)
    assert nearer.any() and not (done.mask & nearer).any()


def test_in_a_cut_out_no_sleeve_stays_beside_the_arm(inpainter: Inpainter, dressed: Dressed) -> None:
    clear = dressed.labels.region("background")
    pixels = np.where(clear[..., None], 255, np.asarray(Image.open(dressed.photo).convert("RGB")) // 2)
    alpha = np.where(clear, 0, 255)
    Image.fromarray(np.dstack([pixels, alpha]).astype(np.uint8)).save(dressed.photo)
    done = inpainter.paint(
        dressed.photo, expose=("forearms", "upper_arms"), segmentation=dressed.labels, keypoints=dressed.pose
    )
    assert done.alpha is not None
    beside = done.mask & dressed.sleeves & ~dilate(~(clear | dressed.sleeves), 3) & ~dilate(dressed.arms, 1)
    assert beside.any() and (done.alpha[beside] == 0).mean() > 0.7
    assert np.array_equal(done.alpha[~done.mask], alpha[~done.mask])


def test_only_the_named_limbs_are_exposed(inpainter: Inpainter, dressed: Dressed) -> None:
    done = inpainter.paint(
        dressed.photo, expose=("forearms",), segmentation=dressed.labels, keypoints=dressed.pose
    )
    size = done.mask.shape
    fore, upper = (
        np.minimum(
            *(distance(*dressed.line(f"{side}{one}", f"{side}{other}"), size) / radius for side in "RL")
        )
        for one, other, radius in (("Elbow", "Wrist", 0.1), ("Shoulder", "Elbow", 0.12))
    )
    clothes = done.mask & dressed.labels.region("apparel")
    assert clothes.any() and (fore[clothes] <= upper[clothes]).all()


def test_a_limb_over_the_trunk_stays_covered(inpainter: Inpainter, dressed: Dressed) -> None:
    points = dressed.pose.points.copy()
    neck, hip = dressed.line("Neck", "MidHip")
    length = np.linalg.norm(hip - neck)
    for name, aside in (("RElbow", -0.3), ("RWrist", 0.3)):  # an arm behind the back, as poses show it
        points[BODY_25.index(name), :2] = (neck + hip) / 2 + (aside * length, 0)
    done = inpainter.paint(
        dressed.photo, expose=("forearms",), segmentation=dressed.labels, keypoints=Keypoints(points)
    )
    on_trunk = distance(neck, hip, done.mask.shape) <= 0.2 * length
    assert (on_trunk & dressed.labels.region("apparel")).any()
    assert not (done.mask & on_trunk).any()
    assert any(each.startswith("forearms: ") and "stays covered" in each for each in done.report["warnings"])


def test_clothes_beside_a_bare_limb_stay(inpainter: Inpainter, dressed: Dressed) -> None:
    labels = dressed.labels.labels.copy()
    bare, cloth, nothing = (
        dressed.labels.classes.index(dressed.labels.regions[name][0])
        for name in ("skin", "apparel", "background")
    )
    forearms = [distance(*dressed.line(f"{side}Elbow", f"{side}Wrist"), labels.shape) for side in "RL"]
    labels[(np.min(forearms, axis=0) < 10) & dressed.labels.region("apparel")] = nothing
    labels[dressed.sleeves] = bare
    wide, wider = (
        cv2.dilate(dressed.sleeves.astype(np.uint8), np.ones((side, side), np.uint8)).astype(bool)
        for side in (7, 15)
    )
    labels[wider & ~wide & dressed.labels.region("background")] = cloth  # as a flared skirt next to the arm
    beside = replace(dressed.labels, labels=labels)
    with pytest.raises(DataError, match="no clothes over forearms; nothing to expose"):
        inpainter.paint(dressed.photo, expose=("forearms",), segmentation=beside, keypoints=dressed.pose)


@pytest.mark.parametrize(
    ("missing", "limb"),
    [(("Hip", "Knee", "Ankle"), "upper_arms"), (("Shoulder", "Elbow", "Wrist"), "thighs")],
)
def test_half_a_person_keeps_the_trunk(
    inpainter: Inpainter, dressed: Dressed, missing: tuple[str, ...], limb: str
) -> None:
    points = dressed.pose.points.copy()
    middle = ("MidHip",) if "Hip" in missing else ("Neck", "Nose")
    for name in (*(f"{side}{each}" for side in "RL" for each in missing), *middle):
        points[BODY_25.index(name)] = 0
    neck, hip = dressed.line("Neck", "MidHip")
    labels = dressed.labels.labels.copy()
    code = dressed.labels.classes.index(dressed.labels.regions["apparel"][0])
    labels[dressed.labels.person] = code  # clothes from head to foot
    done = inpainter.paint(
        dressed.photo,
        expose=(limb,),  # type: ignore[arg-type]
        segmentation=replace(dressed.labels, labels=labels),
        keypoints=Keypoints(points),
    )
    part = np.array([0.2, 0.5, 0.8]) if limb == "upper_arms" else np.array([1.0])
    places = np.rint(neck + part[:, None] * (hip - neck)).astype(int)
    assert done.mask.any() and not done.mask[places[:, 1], places[:, 0]].any()


def test_what_cannot_be_exposed_is_said(inpainter: Inpainter, dressed: Dressed) -> None:
    given = {"segmentation": dressed.labels, "keypoints": dressed.pose}
    with pytest.raises(DataError, match="no clothes over neck; nothing to expose"):
        inpainter.paint(dressed.photo, expose=("neck",), **given)
    with pytest.raises(UserError, match="only one of them"):
        inpainter.paint(dressed.photo, dressed.arms, expose=("forearms",), **given)
    with pytest.raises(UserError, match="leave the mask color out"):
        inpainter.paint(dressed.photo, expose=("forearms",), mask_color=(1, 2, 3), **given)
    with pytest.raises(UserError, match="give a list of names"):
        inpainter.paint(dressed.photo, expose="forearms", **given)
    assert parse_limbs("forearms,neck, forearms") == ("neck", "forearms")
    assert parse_limbs("legs,forearms,arms") == ("upper_arms", "forearms", "thighs", "lower_legs")
    with pytest.raises(UserError, match=r"no limb 'forearm'; did you mean 'forearms'\?; known: neck, "):
        parse_limbs("upper_arms,forearm")
    with pytest.raises(UserError, match="leave person out"):
        inpainter.paint(dressed.photo, expose=("forearms",), person=(3, 4), **given)
    nowhere = Keypoints(np.zeros((25, 3), np.float32))
    with pytest.raises(DataError, match="the pose does not show neck or forearms"):
        inpainter.paint(
            dressed.photo, expose=("forearms", "neck"), segmentation=dressed.labels, keypoints=nowhere
        )
