from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tiny_poses import simcc, write_brightest, write_constants

from skinfw.data.keypoints import BODY_25
from skinfw.data.photo import Photo
from skinfw.errors import UserError
from skinfw_plugins.pose_encoders.config import RtmposeConfig
from skinfw_plugins.pose_encoders.detector import Detector, letterboxed
from skinfw_plugins.pose_encoders.orders import COCO_17, HALPE_26
from skinfw_plugins.pose_encoders.rtmpose import RtmposePoseEncoder

CROP = (64, 48)
INPUT = (64, 64)
PHOTO = Photo(np.zeros((120, 200, 3), np.uint8))


def encoder(pose_model: Path, **settings: Any) -> RtmposePoseEncoder:
    return RtmposePoseEncoder(RtmposeConfig(pose_model=pose_model, **settings), None)


def detector(path: Path, score: float = 0.7, nms: float = 0.45) -> Detector:
    return Detector(path, (0, 0, 0), (1, 1, 1), score, nms)


def finished(path: Path, boxes: list[list[float]], labels: list[int] | None = None) -> Path:
    outputs: dict[str, NDArray[Any]] = {"dets": np.array([boxes], np.float32)}
    if labels is not None:
        outputs["labels"] = np.array([labels], np.int64)
    return write_constants(path, outputs, INPUT)


@pytest.mark.parametrize(("order", "count"), [(COCO_17, 17), (HALPE_26, 26)])
def test_simcc_peaks_become_points_of_the_photo(tmp_path: Path, order: tuple[str, ...], count: int) -> None:
    places = [(2 + index * 1.5, 60 - index * 2.0) for index in range(count)]
    scores = [0.3 + index / 100 for index in range(count)]
    path = write_constants(tmp_path / "pose.onnx", simcc(places, scores, CROP), CROP)
    boxes = finished(tmp_path / "boxes.onnx", [[10, 4, 22, 28, 0.9]], [0])
    (pose,) = encoder(path, detector=boxes).people(PHOTO)
    # the photo of 120x200 is scaled by 64 / 200 = 0.32: the box is 31.25..68.75 x 12.5..87.5 of the photo,
    # which the padding makes 46.875 x 93.75, and the crop's aspect 70.3125 x 93.75, around (50, 50)
    for index, name in enumerate(order):
        if name in BODY_25:
            x = 50 + (places[index][0] - 24) * 93.75 / 64
            y = 50 + (places[index][1] - 32) * 93.75 / 64
            assert pose.point(name) == pytest.approx([x, y, scores[index]], abs=1e-3)
    lone = {"Neck", "MidHip"} if order is COCO_17 else set()
    for middle in lone:
        sides = [pose.point(side + {"Neck": "Shoulder", "MidHip": "Hip"}[middle])[:2] for side in "LR"]
        assert pose.point(middle)[:2] == pytest.approx(np.mean(sides, axis=0), abs=1e-3)


@pytest.mark.parametrize("place", [(30, 20), (150, 100), (97, 61)])
def test_a_bright_spot_is_found_where_it_is(tmp_path: Path, place: tuple[int, int]) -> None:
    # the whole way: crop, normalization, network, bins, and back; without a detector the photo is the box
    pixels = np.full((120, 200, 3), 100, np.uint8)
    cv2.circle(pixels, place, 2, (255, 255, 255), -1)
    path = write_brightest(tmp_path / "pose.onnx", (256, 192))
    pose = encoder(path).keypoints(Photo(pixels))
    assert pose is not None
    # one of the crop's pixels is 200 * 1.25 / 192 = 1.3 of the photo's
    assert np.abs(pose.point("Nose")[:2] - place).max() < 1.31 * 2
    assert pose.point("Nose")[2] == 1  # scores above 1 are cut


def test_weak_points_and_people_without_any_are_not_found(tmp_path: Path) -> None:
    scores = [0.9] * 8 + [0.29] * 9
    path = write_constants(tmp_path / "pose.onnx", simcc([(24, 32)] * 17, scores, CROP), CROP)
    (pose,) = encoder(path).people(PHOTO)
    assert pose.found(0).sum() == 9  # eight, and the neck between two of them
    assert len(encoder(path, threshold=0.95).people(PHOTO)) == 0
    none = finished(tmp_path / "none.onnx", [[10, 4, 22, 28, 0.5]], [0])
    assert encoder(path, detector=none).people(PHOTO) == []
    assert encoder(path, detector=none).keypoints(PHOTO) is None


def test_each_detected_person_has_a_pose_and_the_mask_picks(tmp_path: Path) -> None:
    path = write_constants(tmp_path / "pose.onnx", simcc([(24, 32)] * 17, [0.9] * 17, CROP), CROP)
    boxes = finished(tmp_path / "boxes.onnx", [[2, 2, 14, 30, 0.8], [40, 2, 60, 30, 0.9]], [0, 0])
    found = encoder(path, detector=boxes)
    assert [pose.points[0, 0] for pose in found.people(PHOTO)] == pytest.approx([50 / 0.32, 8 / 0.32])
    mask = np.zeros((120, 200), bool)
    mask[:, :60] = True
    left = found.keypoints(PHOTO, mask)
    assert left is not None and left.points[0, 0] == pytest.approx(25)


@pytest.mark.parametrize("labels", [[0, 0, 1], None])
@pytest.mark.parametrize("scored", [True, False])
def test_boxes_of_an_export_with_nms(tmp_path: Path, labels: list[int] | None, scored: bool) -> None:
    boxes = [[0.0, 0.0, 8.0, 16.0], [16.0, 0.0, 32.0, 16.0], [0.0, 32.0, 64.0, 38.4]]
    scores = [[0.75], [0.95], [0.8]] if scored else [[]] * 3
    rows = [box + score for box, score in zip(boxes, scores, strict=True)]
    found = detector(finished(tmp_path / "boxes.onnx", rows, labels))(PHOTO.pixels)
    order = [1, 2, 0] if scored else [0, 1, 2]
    expected = [boxes[index] for index in order if labels is None or labels[index] == 0]
    assert found == pytest.approx(np.array(expected) / 0.32)


def yolox(*people: tuple[int, float, float, float, float, float, float]) -> NDArray[np.float32]:
    """Return raw rows: stride, x, y, width, height in pixels of the input, objectness, person's score."""
    counts = {8: 64, 16: 16, 32: 4}
    start = {8: 0, 16: 64, 32: 80}
    rows = np.zeros((1, sum(counts.values()), 5 + 2), np.float32)
    rows[..., 6] = 0.9
    for stride, x, y, width, height, objectness, score in people:
        column, row = int(x // stride), int(y // stride)
        index = start[stride] + row * (64 // stride) + column
        rows[0, index] = (
            *(x / stride - column, y / stride - row),
            *(np.log(width / stride), np.log(height / stride)),
            *(objectness, score, 0.1),
        )
    return rows


def test_raw_boxes_of_yolox(tmp_path: Path) -> None:
    rows = yolox(
        (8, 20.0, 20.0, 10.0, 20.0, 0.9, 0.9),
        (16, 22.0, 20.0, 10.0, 20.0, 0.95, 0.95),  # overlaps the first: IoU 8 / 12, and surer
        (32, 40.0, 40.0, 16.0, 40.0, 1.0, 0.8),
        (8, 60.0, 60.0, 4.0, 4.0, 0.8, 0.8),  # 0.64 is too weak
    )
    rows[0, 5] = (0, 0, 0, 0, 1.0, 0.8, 0.9)  # no person
    path = write_constants(tmp_path / "yolox.onnx", {"output": rows}, INPUT)
    expected = np.array([[17, 10, 27, 30], [32, 20, 48, 60]]) / 0.32
    assert detector(path)(PHOTO.pixels) == pytest.approx(expected, rel=1e-5)
    apart = detector(path, nms=0.7)(PHOTO.pixels)
    assert len(apart) == 3 and apart[1] == pytest.approx(np.array([15, 10, 25, 30]) / 0.32, rel=1e-5)
    assert len(detector(path, score=0.6)(PHOTO.pixels)) == 3
    assert detector(path, score=0.99)(PHOTO.pixels).shape == (0, 4)


def test_the_image_fills_the_input_from_the_top_left() -> None:
    pixels = np.zeros((120, 200, 3), np.uint8)
    pixels[...] = 10, 20, 30
    canvas, scale = letterboxed(pixels, (64, 64))
    assert scale == 0.32 and canvas.shape == (64, 64, 3)
    assert (canvas[:38] == (30, 20, 10)).all() and (canvas[38:] == 114).all()


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"dets": np.zeros((1, 3, 3), np.float32)}, r"not a known detector: it returns dets \(1, 3, 3\)"),
        (
            {"output": np.zeros((1, 80, 7), np.float32)},
            r"returns 80 rows, but YOLOX with 64x64 pixels returns 84",
        ),
    ],
)
def test_other_networks_are_no_detector(
    tmp_path: Path, outputs: dict[str, NDArray[Any]], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        detector(write_constants(tmp_path / "other.onnx", outputs, INPUT))(PHOTO.pixels)


def test_other_networks_are_no_pose_model(tmp_path: Path) -> None:
    other = write_constants(tmp_path / "other.onnx", {"heatmaps": np.zeros((1, 17), np.float32)}, CROP)
    with pytest.raises(UserError, match=r"other\.onnx: has no output named simcc_x, simcc_y"):
        encoder(other).people(PHOTO)
    free = write_constants(tmp_path / "free.onnx", simcc([(1, 1)] * 17, [1] * 17, CROP), ("height", "width"))
    with pytest.raises(UserError, match=r"free\.onnx: has the inputs image .* expected one image"):
        encoder(free).people(PHOTO)
    odd = write_constants(tmp_path / "odd.onnx", simcc([(1, 1)] * 21, [1] * 21, CROP), CROP)
    with pytest.raises(UserError, match=r"returns 21 points, which matches no known order \(coco_17 17"):
        encoder(odd).people(PHOTO)
    with pytest.raises(UserError, match=r"returns 21 points, which matches order 'halpe_26'"):
        encoder(odd, order="halpe_26").people(PHOTO)
    with pytest.raises(UserError, match=r"missing\.onnx: no such ONNX file"):
        encoder(tmp_path / "missing.onnx").people(PHOTO)


def test_the_fingerprint_is_that_of_both_files(tmp_path: Path) -> None:
    path = write_constants(tmp_path / "pose.onnx", simcc([(1, 1)] * 17, [1] * 17, CROP), CROP)
    boxes = finished(tmp_path / "boxes.onnx", [[2, 2, 14, 30, 0.8]])
    both = encoder(path, detector=boxes).fingerprint().split()
    assert len(both) == 2 and both[0] == encoder(path).fingerprint()
