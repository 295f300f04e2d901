from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from real_files import PHOTOS, needs_photos, needs_weights

from skinfw.components.reference import use
from skinfw.data.photo import Photo
from skinfw.data.segmentation import REGIONS
from skinfw.data.skin_color import SkinColor
from skinfw.errors import DataError, UserError
from skinfw_plugins.segmenters.body_parts import PARTS, part_codes
from skinfw_plugins.segmenters.config import DeepfashionConfig, SkinColorConfig
from skinfw_plugins.segmenters.deepfashion import DeepfashionSegmenter
from skinfw_plugins.segmenters.label_sets import BODYPIX, PASCAL_PERSON_PART
from skinfw_plugins.segmenters.skin_color import SkinColorSegmenter, log_odds

SKIN, SHIRT, TROUSERS, WALL = (205, 150, 125), (40, 80, 160), (60, 60, 70), (150, 170, 150)
CODE = {name: code for code, name in enumerate(BODYPIX.classes)}


def draw(sleeve: bool = False, scale: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A stick figure of blocks: image, BodyPix codes, and where it is bare."""
    rng = np.random.default_rng(0)
    size = (160, 100)
    image = np.empty((*size, 3), np.uint8)
    image[:] = WALL
    codes = np.zeros(size, np.uint8)
    bare = np.zeros(size, bool)

    def block(
        part: str, rows: slice, columns: slice, color: tuple[int, int, int], *, skin: bool = False
    ) -> None:
        image[rows, columns] = color
        codes[rows, columns] = CODE[part]
        bare[rows, columns] = skin

    block("left_face", slice(5, 30), slice(40, 60), SKIN)
    block("torso_front", slice(30, 80), slice(38, 62), SHIRT)
    block("left_upper_arm_front", slice(32, 55), slice(62, 72), SHIRT)
    block("right_upper_arm_front", slice(32, 55), slice(28, 38), SHIRT)
    arm, is_bare = (SHIRT, False) if sleeve else (SKIN, True)
    block("left_lower_arm_front", slice(55, 78), slice(62, 72), arm, skin=is_bare)
    block("right_lower_arm_front", slice(55, 78), slice(28, 38), arm, skin=is_bare)
    block("left_hand", slice(78, 88), slice(62, 72), SKIN, skin=True)
    block("right_hand", slice(78, 88), slice(28, 38), SKIN, skin=True)
    block("left_upper_leg_front", slice(80, 115), slice(51, 62), TROUSERS)
    block("right_upper_leg_front", slice(80, 115), slice(38, 49), TROUSERS)
    block("left_lower_leg_front", slice(115, 150), slice(51, 62), TROUSERS)
    block("right_lower_leg_front", slice(115, 150), slice(38, 49), TROUSERS)
    block("left_feet", slice(150, 158), slice(51, 64), (20, 20, 20))
    block("right_feet", slice(150, 158), slice(36, 49), (20, 20, 20))
    image = np.clip(image + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)
    grow = (slice(None), slice(None))
    big = [np.repeat(np.repeat(each, scale, 0), scale, 1)[grow] for each in (image, codes, bare)]
    return big[0], big[1], big[2]


def write(folder: Path, image: np.ndarray, codes: np.ndarray) -> Photo:
    Image.fromarray(image).save(folder / "a.png")
    Image.fromarray(codes).save(folder / "a_parts.png")
    return Photo.read(folder / "a.png")


def segmenter(labels: str = "bodypix", **settings: Any) -> SkinColorSegmenter:
    parts = use("segmenter", "label_map", labels=labels, suffix="_parts.png")
    return SkinColorSegmenter(SkinColorConfig(parts=parts, **settings), None)


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize("sleeve", [False, True])
@pytest.mark.parametrize("rounds", [0, 2])
def test_bare_limbs_are_told_from_clothes(tmp_path: Path, sleeve: bool, rounds: int) -> None:
    image, codes, bare = draw(sleeve)
    found = segmenter(rounds=rounds).segment(write(tmp_path, image, codes))
    assert iou(found.region("skin"), bare) > 0.9
    assert np.array_equal(found.person, codes > 0)
    assert np.array_equal(found.region("feet"), np.isin(codes, (CODE["left_feet"], CODE["right_feet"])))
    assert np.array_equal(found.region("head"), codes == CODE["left_face"])
    assert iou(found.of_classes("face"), codes == CODE["left_face"]) > 0.95


def test_a_large_photo_is_decided_small_and_has_its_own_size(tmp_path: Path) -> None:
    image, codes, bare = draw(scale=4)
    found = segmenter(resolution=160).segment(write(tmp_path, image, codes))
    assert found.labels.shape == (640, 400)
    assert iou(found.region("skin"), bare) > 0.85


def test_the_same_photo_gives_the_same_map(tmp_path: Path) -> None:
    photo = write(tmp_path, *draw()[:2])
    first = segmenter().segment(photo).labels
    cv2.setRNGSeed(99)
    assert np.array_equal(segmenter().segment(photo).labels, first)


def test_specks_are_removed(tmp_path: Path) -> None:
    image, codes, _ = draw(sleeve=True)
    image[60, 66] = SKIN
    photo = write(tmp_path, image, codes)
    assert segmenter(speck=0, rounds=0).segment(photo).region("skin")[60, 66]
    assert not segmenter(speck=1, rounds=0).segment(photo).region("skin")[60, 66]


def test_nobody_with_the_color_of_skin(tmp_path: Path) -> None:
    _, codes, _ = draw()
    photo = write(tmp_path, np.full((160, 100, 3), 30, np.uint8), codes)
    with pytest.raises(DataError, match=r"a\.png: nothing on the person has the color of skin"):
        segmenter().segment(photo)


def test_nobody_is_all_background(tmp_path: Path) -> None:
    image, codes, _ = draw()
    found = segmenter().segment(write(tmp_path, image, np.zeros_like(codes)))
    assert not found.person.any() and set(found.regions) == set(REGIONS)


def test_hands_lend_their_color_where_no_face_is_seen(tmp_path: Path) -> None:
    image, codes, bare = draw()
    image[codes == CODE["left_face"]] = 20
    assert iou(segmenter().segment(write(tmp_path, image, codes)).region("skin"), bare) > 0.9


def test_a_map_of_clothes_is_refused(tmp_path: Path) -> None:
    photo = write(tmp_path, np.full((8, 8, 3), 200, np.uint8), np.zeros((8, 8), np.uint8))
    with pytest.raises(UserError, match=r"label_map returns another: 'hat' is not a body part"):
        segmenter("atr").segment(photo)


def test_parts_are_told_by_their_names() -> None:
    told = [PARTS[code] for code in part_codes(BODYPIX.classes)]
    assert told[:4] == ["background", "head", "head", "upper_arm"]
    assert told[11:15] == ["hand", "hand", "torso", "torso"] and told[-1] == "foot"
    assert [PARTS[code] for code in part_codes(PASCAL_PERSON_PART.classes)] == [
        "background", "head", "torso", "upper_arm", "lower_arm", "upper_leg", "lower_leg"
    ]  # fmt: skip


def test_log_odds_by_hand() -> None:
    """One pixel a part, far from any head: color, what is known of the part, and the limb further out."""
    names = ("lower_arm", "upper_arm", "lower_leg", "upper_leg", "hand")
    parts = np.array([[PARTS.index(name) for name in names]], np.uint8)
    seen = SkinColor(np.array([60.0, 20.0, 20.0]), np.diag([100.0, 25.0, 25.0]))
    at = np.array([[60, 20, 20], [70, 20, 20], [60, 40, 20], [60, 20, 20], [60, 20, 25]], np.float32)[None]
    distances = np.array([0, 1, 16, 0, 1])
    assert seen.distance(at)[0] == pytest.approx(distances)
    odds = log_odds(at, parts, seen, distance=6, sharpness=0.7)[0]
    color = np.clip(0.7 * (6 - distances), -8.4, 8.4)
    before = np.array([0.5, -0.5, 0.2, -1.0, 2.0])
    # the lower arm is bare (share 1), the lower leg is not (share 0)
    outward = np.array([0, 2.5, 0, -2.5, 0])
    assert odds == pytest.approx(color + before + outward)


@needs_photos
@needs_weights
def test_real_photos() -> None:
    photos = sorted(PHOTOS.rglob("*_front.jpg"))[:24:2]
    truth = DeepfashionSegmenter(DeepfashionConfig(), None)
    real = SkinColorSegmenter(SkinColorConfig(), None)
    overlaps = []
    for path in photos:
        photo = Photo.read(path)
        overlaps.append(iou(real.segment(photo).region("skin"), truth.segment(photo).region("skin")))
    assert len(overlaps) == 12 and np.mean(overlaps) > 0.35
