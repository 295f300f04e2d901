"""What the types of fields do: resizing together, mirroring, what networks see."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from skinfw.components.field_names import KEEP, KEYPOINTS, MASK
from skinfw.data.batch import collate
from skinfw.data.field_types import Field
from skinfw.data.heatmaps import draw_heatmaps
from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.data.pixel_types import INPAINTING_MASK_TYPE, KEEP_TYPE, ImageType, LabelMapType, MaskType
from skinfw.data.pose_types import HeatMapsType, KeypointsType, PoseMapType
from skinfw.data.resize import coverage, resize_mask
from skinfw.data.sample import Sample, in_order, resized
from skinfw.data.transform import mirrored, warped
from skinfw.errors import DataError

POSE = np.zeros((25, 3), np.float32)
POSE[BODY_25.index("Nose")] = (10, 4, 1)
POSE[BODY_25.index("RWrist")] = (2, 8, 1)


def people(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A person with a ragged border between what is kept and the hole."""
    random = np.random.default_rng(seed)
    keep, hole = np.zeros((60, 40), bool), np.zeros((60, 40), bool)
    for row in range(5, 55):
        left, border, right = 5 + random.integers(3), 18 + random.integers(5), 33 + random.integers(3)
        keep[row, left:border], hole[row, border:right] = True, True
    return keep, hole


@pytest.mark.parametrize("size", [(30, 20), (23, 17), (120, 90), (60, 40)])
def test_the_hole_borders_on_what_is_kept(size: tuple[int, int]) -> None:
    keep, hole = people(0)
    fields = {MASK: Field(INPAINTING_MASK_TYPE, hole), KEEP: Field(KEEP_TYPE, keep)}
    new = {name: field.value for name, field in resized(fields, keep.shape, size).items()}
    assert not (new[MASK] & new[KEEP]).any()
    # the image shows something of the hole in every pixel that has some of it and is not kept
    assert (new[MASK] == ((coverage(hole, size) > 0) & ~new[KEEP])).all()


def test_a_hole_over_what_is_kept_stays() -> None:
    keep = np.ones((20, 20), bool)
    hole = np.zeros((20, 20), bool)
    hole[4:12, 4:12] = True
    fields = {MASK: Field(INPAINTING_MASK_TYPE, hole), KEEP: Field(KEEP_TYPE, keep)}
    assert (resized(fields, (20, 20), (10, 10))[MASK].value == resize_mask(hole, (10, 10))).all()


def test_a_mask_inside_another_never_leaves_it() -> None:
    keep, _ = people(1)
    face = np.ones((60, 40), bool)
    fields = {"face": Field(MaskType(inside=KEEP), face), KEEP: Field(KEEP_TYPE, keep)}
    new = resized(fields, keep.shape, (23, 17))
    assert (new["face"].value == new[KEEP].value).all()


def test_fields_are_resized_after_those_they_need() -> None:
    blank = np.zeros((2, 2), bool)
    fields = {
        "cut": Field(ImageType(divided_by=KEEP, cut_from="whole"), None),
        "inner": Field(MaskType(inside=KEEP), blank),
        KEEP: Field(KEEP_TYPE, blank),
        "whole": Field(ImageType(), None),
        "alone": Field(MaskType(inside="absent"), blank),
    }
    order = in_order(fields)
    assert sorted(order) == sorted(fields)
    assert order.index(KEEP) < min(order.index("cut"), order.index("inner"))
    assert order.index("whole") < order.index("cut")


def test_heat_maps_are_drawn_at_the_final_size() -> None:
    pose = Keypoints(POSE)
    found = resized({"maps": Field(HeatMapsType(), pose)}, (16, 12), (64, 48))["maps"].value
    assert (found == draw_heatmaps(pose.resized((16, 12), (64, 48)), (64, 48))).all()


def test_networks_see_masks_as_images_and_labels_as_channels() -> None:
    labels = np.array([[0, 2], [1, 1]], np.uint8)
    sample = Sample(
        "a",
        {
            "mask": Field(MaskType(), np.array([[True, False], [False, False]])),
            "labels": Field(LabelMapType(3), labels),
            "image": Field(ImageType(), np.full((2, 2, 3), 51, np.uint8)),
        },
    )
    condition = collate([sample]).condition(["image", "labels", "mask"])
    assert condition.shape == (1, 9, 2, 2)
    assert condition[0, :3].unique().tolist() == pytest.approx([0.2])
    assert condition[0, 3:6].argmax(dim=0).tolist() == labels.tolist()
    assert condition[0, 6:].tolist() == 3 * [[[1.0, 0.0], [0.0, 0.0]]]


def test_keypoints_have_no_pixels() -> None:
    image = Field(ImageType(), np.zeros((2, 2, 3), np.uint8))
    batch = collate([Sample("a", {"image": image, KEYPOINTS: Field(KeypointsType(), Keypoints(POSE))})])
    with pytest.raises(ValueError, match="keypoints are not an image"):
        batch.condition([KEYPOINTS])


def test_a_mirror_exchanges_left_and_right() -> None:
    labels = np.array([[1, 1, 0, 2]], np.uint8)
    fields = {
        "labels": Field(LabelMapType(3, (0, 2, 1)), labels),
        "image": Field(ImageType(), np.arange(12, dtype=np.uint8).reshape(1, 4, 3)),
        KEYPOINTS: Field(KeypointsType(), Keypoints(POSE)),
    }
    batch = mirrored(collate([Sample("a", fields)]))
    assert batch["labels"].tolist() == [[[1, 0, 2, 2]]]
    assert (batch["image"][0, 0, 0] * 255).round().tolist() == [9, 6, 3, 0]
    wrist = batch[KEYPOINTS][0, BODY_25.index("LWrist")].tolist()
    assert wrist == [4 - 1 - 2, 8, 1]
    assert not batch[KEYPOINTS][0, BODY_25.index("RWrist")].any()


def shifted(by: float) -> torch.Tensor:
    matrix = torch.eye(3)[None]
    matrix[0, 0, 2] = by
    return matrix


def test_each_type_says_what_comes_in_from_beyond_the_border() -> None:
    row = np.arange(1, 6, dtype=np.uint8)
    gray = np.repeat(row[None, :, None] * 20, 3, axis=2)
    fields = {
        "white": Field(ImageType(), gray),
        "black": Field(ImageType(fill=0.0), gray),
        "edge": Field(ImageType(fill=None), gray),
        "labels": Field(LabelMapType(6), row[None]),
        "mask": Field(MaskType(), np.ones((1, 5), bool)),
    }
    batch = warped(collate([Sample("a", fields)]), shifted(2))
    shown = {name: (batch[name][0, 0, 0] * 255).round().tolist() for name in ("white", "black", "edge")}
    assert shown == {
        "white": [255, 255, 20, 40, 60],
        "black": [0, 0, 20, 40, 60],
        "edge": [20, 20, 20, 40, 60],
    }
    assert batch["labels"].tolist() == [[[1, 1, 1, 2, 3]]]
    assert batch["mask"][0, 0].tolist() == [[0, 0, 1, 1, 1]]


def test_what_is_drawn_follows_the_pose_in_the_style_of_its_sample() -> None:
    styles = ("skeleton", "lines")
    pose = Keypoints(POSE)
    batch = collate(
        [
            Sample(
                style,
                {
                    "line": Field(PoseMapType(style), PoseMapType(style).draw(pose, (16, 12))),  # type: ignore[arg-type]
                    KEYPOINTS: Field(KeypointsType(), pose),
                },
            )
            for style in styles
        ]
    )
    moved = warped(batch, shifted(1).repeat(2, 1, 1))
    for index, style in enumerate(styles):
        there = Keypoints(pose.mapped(1, 1, 1, 0).points)
        drawn = PoseMapType(style).draw(there, (16, 12))  # type: ignore[arg-type]
        assert (moved["line"][index].permute(1, 2, 0) * 255).round().byte().numpy().tolist() == drawn.tolist()


def test_a_drawing_cannot_move_without_its_pose() -> None:
    batch = collate([Sample("a", {"line": Field(PoseMapType(), np.zeros((4, 4, 3), np.uint8))})])
    for move in (mirrored, lambda each: warped(each, shifted(1))):
        with pytest.raises(ValueError, match="line shows a pose, so these samples cannot be warped"):
            move(batch)


def test_samples_with_different_fields_make_no_batch() -> None:
    image = Field(ImageType(), np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(ValueError, match="a and b differ in having more"):
        collate([Sample("a", {"image": image, "more": image}), Sample("b", {"image": image})])


def test_images_of_any_number_of_channels_stay_apart() -> None:
    fields = {
        f"{channels}": Field(ImageType(fill=0.0), np.full((4, 4, channels), 50 * channels, np.uint8))
        for channels in (2, 4, 3)
    }
    batch = warped(collate([Sample("a", fields)]), torch.eye(3)[None])
    for channels in (2, 4, 3):
        values = batch[f"{channels}"]
        assert values.shape == (1, channels, 4, 4)
        assert (values * 255).round().unique().tolist() == [50 * channels]


def test_labels_beyond_the_border_and_without_a_class() -> None:
    kind = LabelMapType(3, (0, 2, 1), fill=0)
    batch = collate([Sample("a", {"labels": Field(kind, np.array([[1, 2, 255]], np.uint8))})])
    assert batch.size == (1, 3)
    assert warped(batch, shifted(1))["labels"].tolist() == [[[0, 1, 2]]]
    assert mirrored(batch)["labels"].tolist() == [[[255, 1, 2]]]
    assert batch.condition(["labels"])[0, :, 0].tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    with pytest.raises(DataError, match="label 3 has no class: there are 3"):
        resized({"labels": Field(kind, np.array([[3]], np.uint8))}, (1, 1), (2, 2))
    for flipped in ((0, 1), (1, 2, 0), (0, 2, 2)):
        with pytest.raises(ValueError, match="must exchange classes in pairs"):
            LabelMapType(3, flipped)
    with pytest.raises(ValueError, match="needs a fill"):
        ImageType(fill=None, divided_by=KEEP)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ImageType(), np.arange(36, dtype=np.uint8).reshape(4, 3, 3)),
        (MaskType(), np.eye(4, 3, dtype=bool)),
        (LabelMapType(3), np.array([[0, 1], [2, 255]], np.uint8)),
        (PoseMapType(), np.arange(36, dtype=np.uint8).reshape(4, 3, 3)),
    ],
)
def test_pixels_are_what_networks_see_in_8_bits(kind: Any, value: Any) -> None:
    condition = kind.condition(kind.tensor([value]))[0]
    found = kind.pixels(value)
    assert found.dtype == np.uint8
    assert np.array_equal(found, np.rint(condition.permute(1, 2, 0).numpy() * 255))
