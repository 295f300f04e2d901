from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data
from pydantic import ValidationError
from real_files import PHOTOS, needs_photos
from skimage.draw import disk
from skimage.feature import Cascade

import skinfw
from skinfw.assembly.build import build
from skinfw.data.photo import Photo
from skinfw.data.segmentation import Mask
from skinfw.errors import UserError
from skinfw.interfaces import Segmenter
from skinfw_plugins.segmenters.config_detectors import HaarConfig
from skinfw_plugins.segmenters.detection import Area, Detector
from skinfw_plugins.segmenters.grabcut import refined
from skinfw_plugins.segmenters.haar import HaarSegmenter

ASTRONAUT = skimage.data.astronaut()
FACES = Path(cv2.data.haarcascades, "haarcascade_frontalface_alt2.xml")


def segmenter(*detectors: dict[str, Any], **settings: Any) -> HaarSegmenter:
    given = {"detectors": detectors} if detectors else {}
    return HaarSegmenter(HaarConfig.model_validate({**given, **settings}), None)


def iou(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / (one | other).sum())


def box(mask: Mask) -> tuple[float, ...]:
    rows, columns = np.nonzero(mask)
    return float(rows.min()), float(rows.max()), float(columns.min()), float(columns.max())


def test_the_head_of_a_photo() -> None:
    """skimage finds the face with a cascade of its own, of local binary patterns."""
    (face,) = Cascade(skimage.data.lbp_frontal_face_cascade_filename()).detect_multi_scale(
        ASTRONAUT, 1.2, 1, (60, 60), (200, 200)
    )
    square = np.zeros((512, 512), bool)
    square[face["r"] : face["r"] + face["height"], face["c"] : face["c"] + face["width"]] = True
    found = segmenter().segment(Photo(ASTRONAUT))
    # OpenCV's cascades find slightly different boxes on different processors
    assert (found.of_classes("face") & square).sum() > 0.5 * square.sum()
    head = found.region("head")
    assert (head & square).sum() > 0.9 * square.sum() and head.sum() > 1.5 * square.sum()
    assert not head[200:].any() and not head[:, :140].any() and not head[:, 320:].any()
    assert found.classes == ("elsewhere", "face", "head")
    assert dict(found.regions) == {"head": ("head", "face")}


def test_grabcut_follows_the_hair_where_the_ellipse_does_not() -> None:
    """The hair's outermost points, read off the image by hand: x = 155 and 302 at most, y = 16."""
    top, _, left, right = box(segmenter().segment(Photo(ASTRONAUT)).region("head"))
    assert abs(top - 16) <= 3 and abs(left - 155) <= 3 and abs(right - 302) <= 3
    top, _, left, right = box(segmenter(refine="none").segment(Photo(ASTRONAUT)).region("head"))
    assert top > 25 and left > 160 and right < 290


def test_a_smaller_photo_gives_the_same_head() -> None:
    half = cv2.resize(ASTRONAUT, (256, 256), interpolation=cv2.INTER_AREA)
    large = segmenter().segment(Photo(ASTRONAUT)).region("head")
    small = segmenter().segment(Photo(half)).region("head")
    assert iou(large[::2, ::2], small) > 0.85


def test_a_second_time_gives_the_same_whatever_came_between() -> None:
    found = segmenter()
    first = found.segment(Photo(ASTRONAUT)).labels
    found.segment(Photo(ASTRONAUT[:300, 100:320]))
    assert np.array_equal(found.segment(Photo(ASTRONAUT)).labels, first)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 3), (60, 30)])
@pytest.mark.parametrize("refine", ["none", "grabcut"])
def test_nobody_there(size: tuple[int, int], refine: str) -> None:
    found = segmenter(refine=refine).segment(Photo(np.full((*size, 3), 128, np.uint8)))
    assert found.labels.shape == size and not found.labels.any()
    assert "head" in found.regions


def test_parts_by_cascades_of_ones_own(tmp_path: Path) -> None:
    """A cascade of faces stands in for those of legs and feet; the first listed lies on top."""
    file = shutil.copy(FACES, tmp_path / "own.xml")
    legs = {"part": "legs", "file": file, "below": 1.0, "beside": 0.5}
    feet = {"part": "feet", "file": file}
    found = segmenter(feet, legs, refine="none").segment(Photo(ASTRONAUT))
    assert found.classes == ("elsewhere", "face", "feet", "legs")
    assert dict(found.regions) == {"feet": ("feet",)}
    y, y_end, x, x_end = box(found.of_classes("feet"))
    side = y_end - y + 1
    # an ellipse in the square that was found, and a rectangle twice as large around it
    assert abs(found.of_classes("feet").sum() - np.pi / 4 * side**2) < 0.02 * side**2
    assert box(found.of_classes("legs")) == pytest.approx(
        (y, y_end + side, x - side / 2, x_end + side / 2), abs=1
    )
    assert not segmenter(legs, feet, refine="none").segment(Photo(ASTRONAUT)).of_classes("feet").any()


def test_the_next_cascade_of_a_part_is_asked_when_the_first_finds_nothing() -> None:
    finds = {"part": "head", "cascade": "frontalface_alt2"}
    blind = {"part": "head", "cascade": "frontalface_alt2", "min_size": 400}
    alone = segmenter(finds).segment(Photo(ASTRONAUT)).labels
    assert not segmenter(blind).segment(Photo(ASTRONAUT)).labels.any()
    assert np.array_equal(segmenter(blind, finds).segment(Photo(ASTRONAUT)).labels, alone)


def find(image: Any, **settings: Any) -> list[Area]:
    (config,) = HaarConfig.model_validate({"detectors": [{"part": "head", **settings}]}).detectors
    return Detector(config).find(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))


def test_settings_are_those_of_opencv() -> None:
    """Of two people, one at half the size."""
    small = cv2.resize(ASTRONAUT, (256, 256), interpolation=cv2.INTER_AREA)
    pair = np.concatenate([ASTRONAUT, np.pad(small, ((0, 256), (0, 0), (0, 0)), "edge")], axis=1)
    both = find(pair, cascade="frontalface_alt2", count=5)
    assert len(both) == 2
    assert {round(area.left) // 512 for area in both} == {0, 1}
    assert find(pair, cascade="frontalface_alt2") == both[:1]
    (large,) = find(pair, cascade="frontalface_alt2", count=5, min_size=80)
    assert find(pair, cascade="frontalface_alt2", count=5, min_size=80 / 512) == [large]
    assert large.bottom - large.top >= 80
    many = find(pair, cascade="frontalface_default", count=50, neighbors=0)
    assert len(many) > len(find(pair, cascade="frontalface_default", count=50, neighbors=6))


def test_the_mirror_image_is_searched_too() -> None:
    """What is found in a mirrored photo lies where it is, not where its mirror image is."""
    flipped = np.ascontiguousarray(ASTRONAUT[:, ::-1])
    straight = find(ASTRONAUT, cascade="profileface", neighbors=1, count=9)
    turned = find(flipped, cascade="profileface", neighbors=1, count=9)
    both = find(ASTRONAUT, cascade="profileface", neighbors=1, count=99, mirrored=True)
    back = [Area(area.top, area.bottom, 512 - area.right, 512 - area.left) for area in turned]
    assert straight != back
    for area in (*straight, *back):
        assert area in both or any(other.holds(area) for other in both)


def test_areas() -> None:
    area = Area(10, 30, 20, 30)
    assert area.grown(0.5, 0.25, 0.1) == Area(0, 35, 19, 31)
    assert area.slices((25, 22)) == (slice(10, 25), slice(20, 22))
    circle = Area(0, 40, 0, 40).ellipse((40, 40))
    expected = np.zeros((40, 40), bool)
    expected[disk((19.5, 19.5), 20.0)] = True
    assert iou(circle, expected) > 0.99


@pytest.mark.parametrize(
    "area", [Area(3.4, 11.6, 2.2, 7.9), Area(-4, 9, 5.5, 30), Area(40, 50, 40, 50), Area(2, 2.4, 3, 3.9)]
)
def test_an_ellipse_holds_the_middles_of_its_pixels(area: Area) -> None:
    y, x = np.mgrid[:20, :12] + 0.5
    off_y = (y - (area.top + area.bottom) / 2) / ((area.bottom - area.top) / 2)
    off_x = (x - (area.left + area.right) / 2) / ((area.right - area.left) / 2)
    assert np.array_equal(area.ellipse((20, 12)), off_y**2 + off_x**2 <= 1)


def test_grabcut_finds_an_outline_from_a_rough_place() -> None:
    """A red square on blue, started from an ellipse inside a rectangle that is off by some pixels."""
    rng = np.random.default_rng(0)
    truth = np.zeros((80, 80), bool)
    truth[20:60, 20:60] = True
    image = np.where(truth[..., None], (200, 30, 30), (30, 30, 200)) + rng.integers(-10, 11, (80, 80, 3))
    area = Area(22, 63, 17, 58)
    found = refined(image.astype(np.uint8), area, area, 0.5, 3)
    assert iou(found, truth) > 0.97 > 0.8 > iou(area.ellipse((80, 80)), truth)


def test_a_photo_that_shows_nothing_but_the_part() -> None:
    area = Area(-40, 50, -40, 50)
    assert refined(np.full((10, 10, 3), 90, np.uint8), area, area, 0.5, 3).all()


@pytest.mark.parametrize(
    "content", [None, "", "no xml", "<?xml version='1.0'?><opencv_storage></opencv_storage>"]
)
def test_no_cascade(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "own.xml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UserError, match="cascade") as caught:
        segmenter({"part": "feet", "file": file}).segment(Photo(ASTRONAUT))
    assert str(file) in str(caught.value) and "\n" not in str(caught.value)


def test_a_cascade_that_is_missing_is_named_with_its_place_and_license(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = r"https://github\.com/opencv/opencv/tree/4\.x/data/haarcascades.*\(license: BSD-style"
    with pytest.raises(UserError, match=rf"no such cascade; feet needs the XML file of a cascade.*{place}"):
        segmenter({"part": "feet", "file": tmp_path / "feet.xml"}).segment(Photo(ASTRONAUT))
    with pytest.raises(ValidationError, match=rf"file names the XML file of a cascade for feet: .*{place}"):
        segmenter({"part": "feet"})
    monkeypatch.setattr(cv2.data, "haarcascades", str(tmp_path))
    with pytest.raises(UserError, match=rf"installation lacks haarcascade_fullbody\.xml; .*{place}"):
        segmenter({"part": "body", "cascade": "fullbody"}).segment(Photo(ASTRONAUT))


@pytest.mark.parametrize(
    ("detector", "message"),
    [
        ({"part": "head"}, "set either cascade or file"),
        ({"part": "head", "cascade": "fullbody", "file": "a.xml"}, "set either cascade or file"),
        ({"part": "face", "cascade": "fullbody"}, "'face' is a reserved class"),
    ],
)
def test_detectors_that_make_no_sense(detector: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        segmenter(detector)


@pytest.mark.parametrize("cascade", ["upperbody", "lowerbody", "fullbody", "frontalface_alt_tree"])
def test_packaged_cascades_are_there(cascade: str) -> None:
    assert segmenter({"part": "body", "cascade": cascade}).fingerprint()


def test_the_fingerprint_follows_the_cascades(tmp_path: Path) -> None:
    own = {"part": "head", "file": shutil.copy(FACES, tmp_path / "own.xml")}
    packaged = {"part": "head", "cascade": "frontalface_alt2"}
    assert segmenter(own).fingerprint() == segmenter(packaged).fingerprint()
    assert segmenter(own).fingerprint() != segmenter().fingerprint()


@needs_photos
def test_heads_of_real_photos() -> None:
    paths = sorted(PHOTOS.rglob("*_front.jpg"))[::90]
    truth: Segmenter[Any] = build(skinfw.use("segmenter", "deepfashion"), Segmenter)
    found = segmenter()
    ious = []
    for path in paths:
        photo = Photo.read(path)
        ious.append(iou(found.segment(photo).region("head"), truth.segment(photo).region("head")))
    assert len(ious) > 4 and np.median(ious) > 0.3
