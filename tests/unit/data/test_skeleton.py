from __future__ import annotations

import numpy as np
import pytest

from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.data.resize import resize_image
from skinfw.data.skeleton import (
    COLORS,
    LIMBS,
    draw_lines,
    draw_pose,
    draw_resized_pose,
    draw_skeleton,
    line_thickness,
)
from skinfw_plugins.datasets.mannequin import draw_person


def pose(**points: tuple[float, float, float]) -> Keypoints:
    values = np.zeros((25, 3), np.float32)
    for name, point in points.items():
        values[BODY_25.index(name)] = point
    return Keypoints(values)


def test_nothing_found_is_all_black() -> None:
    image = draw_skeleton(pose(), (20, 30))
    assert image.shape == (20, 30, 3)
    assert image.dtype == np.uint8
    assert not image.any()


@pytest.mark.parametrize("name", BODY_25)
def test_every_point_has_its_color(name: str) -> None:
    # a lone point has no box: thickness 2, radius 1
    image = draw_skeleton(pose(**{name: (10, 8, 0.9)}), (20, 30))
    colors = {tuple(map(int, color)) for color in image.reshape(-1, 3) if color.any()}
    assert colors == {COLORS[BODY_25.index(name)]}
    rows, columns = np.nonzero(image.any(axis=2))
    assert (rows.mean(), columns.mean()) == (8, 10)


@pytest.mark.parametrize(("first", "second"), LIMBS)
def test_a_limb_takes_the_color_of_its_second_point(first: int, second: int) -> None:
    names = {BODY_25[first]: (10, 30, 0.9), BODY_25[second]: (50, 30, 0.9)}
    assert tuple(draw_skeleton(pose(**names), (60, 60))[30, 30]) == COLORS[second]


def test_limbs_are_those_of_body_25() -> None:
    listed = (
        "1-8 1-2 1-5 2-3 3-4 5-6 6-7 8-9 9-10 10-11 8-12 12-13 13-14 1-0 0-15 15-17 0-16 16-18 14-19 19-20 "
        "14-21 11-22 22-23 11-24"
    )
    assert [f"{first}-{second}" for first, second in LIMBS] == listed.split()


@pytest.mark.parametrize(
    ("size", "end", "thickness"),
    [
        # sqrt(300 * 300) / 75 = 4, times the larger fraction of the box
        ((300, 300), (300, 0), 4),
        ((300, 300), (0, 150), 2),
        # sqrt(600 * 1200) / 75 = 11.31
        ((600, 1200), (600, 300), 6),
        # 5.5 rounds up, as in OpenPose, and not to the even 6 only by chance: 4.5 gives 5
        ((450, 450), (337.5, 0), 5),
        # a box larger than the image counts as the whole image
        ((300, 300), (900, 0), 4),
    ],
)
def test_thickness(size: tuple[int, int], end: tuple[float, float], thickness: int) -> None:
    assert line_thickness(pose(Neck=(0, 0, 1), MidHip=(*end, 1)), size) == thickness


def test_points_of_low_confidence_do_not_count_for_the_box() -> None:
    assert line_thickness(pose(Neck=(0, 0, 1), MidHip=(300, 300, 0.1)), (300, 300)) == 2
    assert line_thickness(pose(Neck=(0, 0, 1), MidHip=(300, 300, 0.11)), (300, 300)) == 4


@pytest.mark.parametrize(("score", "drawn"), [(0.05, False), (0.06, True)])
def test_drawn_above_confidence(score: float, drawn: bool) -> None:
    image = draw_skeleton(pose(Neck=(10, 30, 1), MidHip=(50, 30, score)), (60, 60))
    assert image[30, 30].any() == drawn
    assert image[30, 50].any() == drawn


def test_limb_is_three_quarters_as_thick() -> None:
    # thickness 8, so the limb is 6 pixels; OpenCV's lines of even width come out one wider
    image = draw_skeleton(pose(Neck=(100, 300, 1), MidHip=(500, 300, 1), RAnkle=(0, 0, 1)), (600, 600))
    assert line_thickness(pose(Neck=(0, 0, 1), RAnkle=(600, 0, 1)), (600, 600)) == 8
    assert np.count_nonzero(image[:, 300].any(axis=1)) in (6, 7)


def test_circles_lie_on_top_of_limbs_with_radius_of_half_the_thickness() -> None:
    image = draw_skeleton(pose(Neck=(100, 300, 1), MidHip=(500, 300, 1), RAnkle=(0, 0, 1)), (600, 600))
    size = line_thickness(pose(Neck=(100, 300, 1), MidHip=(500, 300, 1), RAnkle=(0, 0, 1)), (600, 600))
    neck = np.all(image == COLORS[BODY_25.index("Neck")], axis=2)[:, :110]
    # radius t // 2 and an outline of t: t // 2 + t / 2 to either side of the middle
    reach = size // 2 + size / 2
    assert abs(100 - np.nonzero(neck.any(axis=0))[0].min() - reach) <= 1
    assert tuple(image[300, 100]) == COLORS[BODY_25.index("Neck")]


def test_coordinates_round_half_up() -> None:
    image = draw_skeleton(pose(Nose=(10.5, 8.49, 1)), (20, 30))
    rows, columns = np.nonzero(image.any(axis=2))
    assert (rows.mean(), columns.mean()) == (8, 11)


def test_far_points_outside_the_image_do_no_harm() -> None:
    inside = draw_skeleton(pose(Neck=(30, 10, 1), MidHip=(30, 1e4, 1)), (60, 60))
    outside = draw_skeleton(pose(Neck=(30, 10, 1), MidHip=(30, 1e9, 1)), (60, 60))
    assert np.array_equal(inside[:, 25:36], outside[:, 25:36])
    assert outside[40, 30].any()


@pytest.mark.parametrize(
    ("photo", "size", "most"),
    [
        ((512, 256), (128, 64), 0.01),
        ((512, 512), (128, 128), 0.01),
        ((512, 512), (64, 64), 0.01),
        # other sizes: OpenPose rounds thicknesses to whole pixels
        ((500, 250), (128, 64), 1.0),
        ((1100, 550), (128, 64), 2.0),
        ((1101, 750), (256, 176), 1.0),
    ],
)
def test_a_pose_drawn_small_looks_like_the_photos_drawing_resized(
    photo: tuple[int, int], size: tuple[int, int], most: float
) -> None:
    found = Keypoints(draw_person(4, photo).points)
    resized = resize_image(draw_skeleton(found, photo), size).astype(float)
    small = found.resized(photo, size)
    difference = np.abs(draw_resized_pose(small, size) - resized).mean()
    assert difference < most
    assert difference < 0.7 * np.abs(draw_skeleton(small, size) - resized).mean()


def test_large_poses_are_drawn_as_they_are() -> None:
    found = Keypoints(draw_person(4, (512, 256)).points)
    drawn = draw_resized_pose(found, (512, 256))
    assert np.array_equal(drawn, draw_skeleton(found, (512, 256)))
    assert (drawn.shape, drawn.dtype) == ((512, 256, 3), np.uint8)


@pytest.mark.parametrize("old", [(64, 64), (60, 36)])
@pytest.mark.parametrize("new", [(128, 128), (180, 108), (32, 32), (20, 12)])
def test_resized_keypoints_stay_on_what_they_were_drawn_on(
    old: tuple[int, int], new: tuple[int, int]
) -> None:
    """The middle of a drawn spot, in an image that is resized, is where the resized keypoint is."""
    spot = pose(Nose=(20, 27, 1))
    image = resize_image(draw_skeleton(spot, old), new).astype(float).sum(axis=2)
    rows, columns = np.indices(new)
    middle = [(image * places).sum() / image.sum() for places in (columns, rows)]
    x, y, confidence = spot.resized(old, new).point("Nose")
    assert middle == pytest.approx([x, y], abs=0.06)
    assert confidence == 1


def test_points_that_were_not_found_stay_nowhere_when_resized() -> None:
    found = pose(Nose=(20, 27, 0.5)).resized((60, 60), (90, 30)).points
    assert not found[1:].any()


@pytest.mark.parametrize(
    ("size", "width"), [((512, 256), 5), ((512, 512), 5), ((240, 256), 3), ((64, 64), 1)]
)
def test_plain_lines_are_white_and_of_one_width(size: tuple[int, int], width: int) -> None:
    for reach in (30, 60):  # whatever the person's size
        image = draw_lines(pose(Neck=(32, 2, 0.9), MidHip=(32, reach, 0.9)), size)
        assert set(np.unique(image).tolist()) == {0, 255}
        # OpenCV draws 4 as 5 and 2 as 3 pixels: as many on both sides of the middle
        assert image[20].any(axis=1).sum() == width
    assert draw_lines(pose(), size).any() == np.False_


def test_every_limb_is_a_plain_line_and_a_lone_point_a_dot() -> None:
    for first, second in LIMBS:
        points = {BODY_25[first]: (10, 30, 0.9), BODY_25[second]: (50, 30, 0.9)}
        assert draw_lines(pose(**points), (60, 60))[30, 10:51].all()
    dot = draw_lines(pose(RWrist=(20, 10, 0.9), LWrist=(40, 10, 0.01)), (60, 60))
    assert np.argwhere(dot.any(axis=2)).tolist() == [[10, 20]]


def test_the_style_says_how_a_pose_is_drawn() -> None:
    found = Keypoints(draw_person(0, (512, 256)).points)
    assert np.array_equal(draw_pose(found, (512, 256), "lines"), draw_lines(found, (512, 256)))
    assert np.array_equal(draw_pose(found, (512, 256)), draw_skeleton(found, (512, 256)))
    small = found.resized((512, 256), (64, 32))
    resized = resize_image(draw_lines(found, (512, 256)), (64, 32)).astype(int)
    assert np.abs(draw_resized_pose(small, (64, 32), "lines") - resized).mean() < 1.5
