"""Which patches of a photo are holes: not overexposed cloth, nor the background between arm and body."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from real_files import PHOTOS, needs_photos

from skinfw.data.keypoints import Keypoints
from skinfw.data.parts import dilate
from skinfw.data.photo import Photo
from skinfw.data.segmentation import Segmentation
from skinfw.errors import DataError
from skinfw.inference.holes import Holes, holes_of, holes_on_body
from skinfw.inference.inpainter import Inpainter
from skinfw.inference.source_photo import SourcePhoto, read_source

SIZE = (72, 80)


def source_of(pixels: np.ndarray, alpha: np.ndarray | None = None) -> SourcePhoto:
    return SourcePhoto(Photo(pixels), pixels, alpha, None)


def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 250, (*SIZE, 3), np.uint8)


def block() -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[20:40, 30:50] = True
    return mask


def glare(pixels: np.ndarray, center: tuple[int, int], width: float, amount: float = 300) -> np.ndarray:
    """Overexpose a part of an image: it is clipped in the middle and fades out."""
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    distance = (rows - center[0]) ** 2 + (columns - center[1]) ** 2
    light = amount * np.exp(-distance / (2 * width**2))
    return np.clip(pixels + light[..., None], 0, 255).astype(np.uint8)


def test_holes_are_flat_patches_that_do_not_reach_the_border() -> None:
    pixels = noise()
    pixels[block()] = 255
    pixels[:10] = 255  # the background
    pixels[60, 60] = 255  # a highlight
    found = holes_of(source_of(pixels))
    assert np.array_equal(found.mask, block()) and found.soft == 0 and found.flat_border
    alpha = np.where(block(), 0, 255).astype(np.uint8)
    found = holes_of(source_of(noise(), alpha))
    assert np.array_equal(found.mask, block()) and not found.flat_border
    pixels[block()] = (127, 127, 127)
    assert np.array_equal(holes_of(source_of(pixels), (127, 127, 127)).mask, block())


def test_overexposed_cloth_is_not_a_hole() -> None:
    cloth = glare(np.full((*SIZE, 3), 120, np.uint8), (30, 40), 14)
    white = (cloth == 255).all(axis=-1)
    assert white.sum() > 100
    found = holes_of(source_of(cloth))
    assert not found.mask.any() and found.soft == 1
    # the same pixels, erased
    erased = np.where(white[..., None], np.uint8(255), np.uint8(120)).repeat(3, axis=2)
    assert np.array_equal(holes_of(source_of(erased)).mask, white)


def test_a_hole_beside_white_cloth_is_one() -> None:
    """Up to three quarters of its edge may be almost white."""
    pixels = np.full((*SIZE, 3), 120, np.uint8)
    pixels[:, 50:] = 252  # the sleeve
    pixels[40:, :50] = 252
    pixels[block()] = 255
    assert np.array_equal(holes_of(source_of(pixels)).mask, block())
    pixels[:20] = pixels[:, :30] = 252
    assert not holes_of(source_of(pixels)).mask.any()


@pytest.mark.parametrize("level", [230, 238, 245])
def test_a_hole_before_a_light_wall_is_one(level: int) -> None:
    """The wall is nearly white, but does not fade out."""
    wall = np.clip(np.random.default_rng(0).normal(level, 1.5, (*SIZE, 1)), 0, 255).astype(np.uint8)
    pixels = wall.repeat(3, axis=2)
    pixels[block()] = 255
    found = holes_of(source_of(pixels))
    assert np.array_equal(found.mask, block()) and not found.warnings()


def test_overexposed_cloth_beside_a_hole_is_mentioned() -> None:
    pixels = glare(np.full((*SIZE, 3), 120, np.uint8), (55, 60), 8)
    pixels[5:25, 5:25] = 255
    found = holes_of(source_of(pixels))
    assert found.mask[5:25, 5:25].all() and found.mask.sum() == 400
    assert found.warnings() == ("1 white area with soft edges: not painted; give a mask to paint it",)


def test_a_transparent_pixel_does_not_hide_white_holes() -> None:
    """Layers of editors often have a transparent border."""
    pixels = noise()
    pixels[block()] = 255
    alpha = np.full(SIZE, 255, np.uint8)
    alpha[0] = 0
    assert np.array_equal(holes_of(source_of(pixels, alpha)).mask, block())


@pytest.mark.parametrize("quality", [None, 90])
def test_holes_of_a_color_are_flat(tmp_path: Path, quality: int | None) -> None:
    pixels = noise() // 8 + 60
    pixels[block()] = 127
    pixels[50:66, 8:40] = 127 + np.arange(-8, 8, dtype=np.int16)[:, None, None]  # a wall in the light
    path = tmp_path / ("x.png" if quality is None else "x.jpg")
    Image.fromarray(pixels).save(path, **({} if quality is None else {"quality": quality}))
    found = holes_of(read_source(path), (127, 127, 127))
    assert found.mask[block()].all() and not found.mask[48:].any()
    if quality is None:
        assert np.array_equal(found.mask, block())
    assert found.shaded == 1
    assert found.warnings() == ("1 shaded area of nearly that color: not painted; give a mask to paint it",)


def test_a_hole_with_hard_edges_is_painted_exactly_whatever_shade_was_named() -> None:
    pixels = noise() // 8 + 60
    pixels[18:20, 44:46] = 125  # of nearly that color, beside it
    pixels[block()] = 127
    assert np.array_equal(holes_of(source_of(pixels), (128, 127, 126)).mask, block())


def test_a_large_hole_in_a_jpeg_has_a_rim_of_three_pixels(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(20, 90, (500, 500, 3), np.uint8)
    hole = np.zeros((500, 500), bool)
    hole[100:400, 100:400] = True
    pixels[hole] = 127
    Image.fromarray(pixels).save(tmp_path / "x.jpg", quality=95, subsampling=0)
    found = holes_of(read_source(tmp_path / "x.jpg"), (127, 127, 127)).mask
    assert found[dilate(hole, 2)].all() and not found[~dilate(hole, 3)].any()


@pytest.mark.parametrize("quality", [75, 90])
def test_the_blurred_rim_of_a_hole_in_a_jpeg_is_painted_too(tmp_path: Path, quality: int) -> None:
    pixels = np.full((*SIZE, 3), (90, 60, 30), np.uint8)
    pixels[block()] = (0, 255, 0)
    Image.fromarray(pixels).save(tmp_path / "x.jpg", quality=quality)
    source = read_source(tmp_path / "x.jpg")
    found = holes_of(source, (0, 255, 0)).mask
    greenish = np.abs(source.own.astype(int) - (90, 60, 30)).max(axis=-1) > 50
    assert (greenish & ~block()).any() and not (greenish & ~found).any()
    assert found.sum() < 2 * block().sum()


def test_a_color_that_is_nowhere_is_named() -> None:
    with pytest.raises(DataError, match=r"x\.png: has no flat area of the color 255,0,255; give a mask"):
        holes_of(source_of(noise()), (255, 0, 255)).check("x.png", (255, 0, 255))


@pytest.fixture
def seen(inpainter: Inpainter, photo: Path) -> tuple[Segmentation, Keypoints]:
    """Label map and pose of the photo."""
    opened = Photo.read(photo)
    labels = inpainter.segmenter.segment(opened)
    pose = inpainter.pose_encoder.keypoints(opened, labels.person)
    assert pose is not None
    return labels, pose


def inside(mask: np.ndarray) -> np.ndarray:
    eroded: np.ndarray = cv2.erode(mask.astype(np.uint8), np.ones((3, 3))) > 0
    return eroded


def test_a_patch_beside_the_person_is_not_a_hole(
    seen: tuple[Segmentation, Keypoints], arms: np.ndarray
) -> None:
    beside = np.zeros(arms.shape, bool)
    beside[2:8, 2:8] = True
    both = holes_on_body(Holes(inside(arms) | beside), *seen, "x.png")
    assert np.array_equal(both.mask, inside(arms))
    assert both.warnings() == ("1 hole beside limbs and trunk: not painted; give a mask to paint it",)
    with pytest.raises(DataError, match=r"x\.png: its holes do not touch neck, trunk or limbs; give a mask"):
        holes_on_body(Holes(beside), *seen, "x.png")


def test_what_may_as_well_be_background_is_refused(
    seen: tuple[Segmentation, Keypoints], arms: np.ndarray
) -> None:
    """The label map decides if the border of the photo is white or transparent too."""
    labels, pose = seen
    patches = Holes(inside(arms), flat_border=True)
    assert np.array_equal(holes_on_body(patches, labels, pose, "x.png").mask, inside(arms))
    background = labels.classes.index(labels.regions["background"][0])
    nothing = replace(labels, labels=np.where(arms, np.uint8(background), labels.labels))
    with pytest.raises(DataError, match="may be holes, or background between arm and body; give a mask"):
        holes_on_body(patches, nothing, pose, "x.png")
    assert holes_on_body(replace(patches, flat_border=False), nothing, pose, "x.png").mask.any()
    # one arm of two: the other hole is painted
    _, numbers = cv2.connectedComponents(inside(arms).astype(np.uint8), connectivity=4)
    one = replace(labels, labels=np.where(arms & (numbers != 2), np.uint8(background), labels.labels))
    part = holes_on_body(patches, one, pose, "x.png")
    assert part.mask.any() and not part.mask[numbers != 2].any()
    assert part.warnings()[0].endswith("that may be background: not painted; give a mask to paint them")


def test_a_photo_with_overexposed_cloth_needs_a_mask(inpainter: Inpainter, photo: Path) -> None:
    with Image.open(photo) as image:
        Image.fromarray(glare(np.asarray(image.convert("RGB")), (70, 64), 25)).save(photo)
    with pytest.raises(DataError, match=r"flat white hole \(1 white area with soft edges"):
        inpainter.paint(photo)


@needs_photos
def test_photos_without_a_hole_have_none() -> None:
    """Exactly white patches, most of them sky, are in a quarter of these photos."""
    photos = sorted(PHOTOS.rglob("img_highres*/**/*.jpg"))[::24]
    found = [holes_of(read_source(path)) for path in photos]
    assert sum(each.soft > 0 for each in found) > len(photos) / 10
    assert not [path.name for path, each in zip(photos, found, strict=True) if each.mask.any()]
