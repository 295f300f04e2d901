from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from skinfw.components.field_names import (
    APPAREL,
    BODY,
    FACE,
    HEATMAPS,
    IMAGE,
    KEEP,
    KEYPOINTS,
    LABELS,
    LINE,
    MASK,
    SKIN,
)
from skinfw.components.registry import installed
from skinfw.data.batch import Batch, collate
from skinfw.data.field_types import Field, FieldType
from skinfw.data.keypoints import BODY_25
from skinfw.data.pixel_types import (
    APPAREL_TYPE,
    BODY_TYPE,
    INPAINTING_MASK_TYPE,
    KEEP_TYPE,
    SKIN_TYPE,
    ImageType,
    LabelMapType,
)
from skinfw.data.pose_types import KeypointsType, PoseMapType
from skinfw.data.sample import Sample
from skinfw.data.transform import MIRRORED, warped
from skinfw.interfaces import AugmentationIO
from skinfw.testing import example_batch, example_dataset_io
from skinfw_plugins.augmentations.affine import affine_matrices
from skinfw_plugins.augmentations.crop_and_pad import window_matrices
from skinfw_plugins.datasets.config import MannequinsConfig
from skinfw_plugins.datasets.mannequins import MannequinsDataset

SIZE = (48, 36)
INPUTS = (APPAREL, LINE, SKIN, FACE, HEATMAPS)
MOVES = ("flip", "scale", "crop", "pad", "rotate", "translate", "affine")


def build(name: str, size: tuple[int, int] = SIZE, **config: Any) -> Callable[[Batch], Batch]:
    component = installed().component_class("augmentation", name)
    settings = installed().config_class("augmentation", name).model_validate({"probability": 1, **config})
    augmentation: Callable[[Batch], Batch] = component(settings, AugmentationIO(size))
    return augmentation


def one_pixel(x: int, y: int) -> Batch:
    """Return a sample that is white but for one black pixel of skin, with its only keypoint on it."""
    skin = torch.zeros(1, 1, *SIZE)
    skin[0, 0, y, x] = 1
    points = torch.zeros(1, 25, 3)
    points[0, BODY_25.index("Nose")] = torch.tensor([x, y, 0.8])
    white = torch.ones(1, 3, *SIZE)
    fields = {
        APPAREL: white,
        BODY: 1 - skin.expand_as(white),
        SKIN: skin,
        MASK: skin,
        KEEP: torch.zeros_like(skin),
        KEYPOINTS: points,
    }
    types: dict[str, FieldType] = {
        APPAREL: APPAREL_TYPE,
        BODY: BODY_TYPE,
        SKIN: SKIN_TYPE,
        MASK: INPAINTING_MASK_TYPE,
        KEEP: KEEP_TYPE,
        KEYPOINTS: KeypointsType(),
    }
    return Batch(["a"], fields, {name: [kind] for name, kind in types.items()})


def with_field(batch: Batch, name: str, tensor: Tensor, kind: FieldType) -> Batch:
    types = {**batch.types, name: [kind] * len(batch)}
    return replace(batch, fields={**batch.fields, name: tensor}, types=types)


def centroid(weights: Tensor) -> Tensor:
    """Return x and y of the middle of an image ``(H, W)``."""
    rows, columns = torch.arange(weights.shape[0]).float(), torch.arange(weights.shape[1]).float()
    return torch.stack([(weights.sum(0) * columns).sum(), (weights.sum(1) * rows).sum()]) / weights.sum()


@pytest.mark.parametrize("name", MOVES)
def test_a_bright_pixel_and_a_keypoint_on_it_stay_together(name: str) -> None:
    """Nine pixels in a square: their middle is that of the pixel, and interpolation keeps it."""
    move = build(name)
    distances = []
    for seed in range(20):
        torch.manual_seed(seed)
        batch = one_pixel(20, 17)
        spot = torch.nn.functional.max_pool2d(batch[SKIN], 3, 1, 1)
        changed = move(batch.updated({BODY: 1 - spot.expand_as(batch[BODY])}))
        point = changed[KEYPOINTS][0, BODY_25.index("Nose")]
        assert point[2] == pytest.approx(0.8)
        ink = 1 - changed[BODY][0, 0]
        border = torch.cat([ink[0], ink[-1], ink[:, 0], ink[:, -1]])
        if ink.sum() > 0 and border.sum() == 0:
            distances.append(float(torch.dist(centroid(ink), point[:2])))
    assert len(distances) >= 15
    # sampling shifts a square of 3 pixels a little, at random; a wrong convention is off by half a pixel
    assert max(distances) < 0.35
    assert np.mean(distances) < 0.12


def exact(batch: Batch, matrix: list[list[float]]) -> Batch:
    return warped(batch, torch.tensor([matrix], dtype=torch.float32))


def test_whole_pixels_move_exactly() -> None:
    changed = exact(one_pixel(20, 17), [[1, 0, 3], [0, 1, -5], [0, 0, 1]])
    for name in (SKIN, MASK):
        assert changed[name].nonzero().tolist() == [[0, 0, 12, 23]]
    torch.testing.assert_close(changed[BODY], 1 - changed[SKIN].expand(-1, 3, -1, -1), rtol=0, atol=1e-5)


def test_turning_by_a_right_angle_is_exact() -> None:
    # about the middle (17.5, 23.5): x' = 17.5 - (y - 23.5), y' = 23.5 + (x - 17.5)
    changed = exact(one_pixel(20, 17), [[0, -1, 41], [1, 0, 6], [0, 0, 1]])
    assert changed[SKIN].nonzero().tolist() == [[0, 0, 26, 24]]


def test_matrices_are_what_the_configuration_says() -> None:
    torch.manual_seed(0)
    height, width = SIZE
    middle = torch.tensor([(width - 1) / 2, (height - 1) / 2, 1])

    def of(**ranges: Any) -> Tensor:
        return affine_matrices(400, SIZE, **ranges)

    scales = of(scale=(0.5, 2))
    factors = scales[:, 0, 0]
    assert 0.5 <= factors.min() < 0.52 and 1.95 < factors.max() <= 2
    torch.testing.assert_close(scales[:, 1, 1], factors)
    assert scales[:, 0, 1].abs().max() < 1e-6
    turns = of(degrees=30)
    angles = torch.rad2deg(torch.atan2(turns[:, 1, 0], turns[:, 0, 0]))
    assert -30 <= angles.min() < -29 and 29 < angles.max() <= 30.001
    torch.testing.assert_close(torch.linalg.det(turns), torch.ones(400))
    for matrices in (scales, turns, of(shear=20)):
        torch.testing.assert_close(matrices @ middle, middle.expand(400, 3), rtol=0, atol=1e-3)
    shifts = of(fraction=0.25)[:, :2, 2]
    assert shifts[:, 0].abs().max() <= 0.25 * width and shifts[:, 0].abs().max() > 0.24 * width
    assert shifts[:, 1].abs().max() <= 0.25 * height and shifts[:, 1].abs().max() > 0.24 * height
    sheared = of(shear=20)
    greatest = float(np.tan(np.radians(20)))
    assert 0.95 * greatest < sheared[:, 0, 1].abs().max() <= greatest + 1e-6
    assert 0.95 * greatest < sheared[:, 1, 0].abs().max() <= greatest + 1e-6
    # area stays, so nothing is scaled
    torch.testing.assert_close(torch.linalg.det(sheared), torch.ones(400))


def test_windows_lie_in_the_image_or_hold_it() -> None:
    torch.manual_seed(0)
    height, width = SIZE
    corners = torch.tensor([[-0.5, -0.5, 1], [width - 0.5, height - 0.5, 1]])
    crops = torch.linalg.inv(window_matrices(torch.full((300,), 0.5), SIZE)) @ corners.T
    # pixel edges of the new image come from a window of half the sides inside the old one
    begin, end = crops[:, :2, 0], crops[:, :2, 1]
    torch.testing.assert_close(end - begin, torch.tensor([width / 2, height / 2]).expand(300, 2))
    assert begin.min() >= -0.501 and (end <= torch.tensor([width - 0.499, height - 0.499])).all()
    assert begin[:, 0].max() > width / 2 - 1.5 and begin[:, 1].min() < 0.5
    pads = window_matrices(torch.full((300,), 2.0), SIZE) @ corners.T
    begin, end = pads[:, :2, 0], pads[:, :2, 1]
    torch.testing.assert_close(end - begin, torch.tensor([width / 2, height / 2]).expand(300, 2))
    assert begin.min() >= -0.501 and (end <= torch.tensor([width - 0.499, height - 0.499])).all()


def people(size: tuple[int, int] = (96, 48), count: int = 4) -> Batch:
    config = MannequinsConfig(count=count)
    dataset = MannequinsDataset(config, example_dataset_io(size, INPUTS, needs_keypoints=True))
    return collate([dataset.load(name) for name in dataset.names()])


def test_images_move_as_opencv_moves_them() -> None:
    """Inside of clothes and skin, where nothing else mixes in, it is plain bilinear interpolation."""
    batch = people((160, 80))
    torch.manual_seed(1)
    matrices = affine_matrices(4, batch.size, scale=(0.8, 1.2), degrees=20, fraction=0.1, shear=8)
    changed = warped(batch, matrices)
    for index, matrix in enumerate(matrices.double().numpy()):
        for image, found, region in (
            (batch[BODY], changed[BODY], changed[SKIN]),
            (batch[APPAREL], changed[APPAREL], changed[KEEP]),
        ):
            planes = image[index].permute(1, 2, 0).contiguous().numpy()
            expected = cv2.warpAffine(planes, matrix[:2], batch.size[::-1], borderValue=(1, 1, 1))
            inner = cv2.erode(region[index, 0].numpy(), np.ones((5, 5))) > 0.5
            assert inner.sum() > 10
            difference = np.abs(found[index].permute(1, 2, 0).numpy() - expected)[inner]
            # OpenCV rounds places to a 32nd of a pixel
            assert difference.max() < 0.05


def flat(size: tuple[int, int] = SIZE) -> Batch:
    """Return example samples whose clothes are red, and whose skin is blue."""
    batch = example_batch(6, size)
    red, blue = (torch.tensor(color)[None, :, None, None] for color in ((0.8, 0.1, 0.1), (0.1, 0.2, 0.7)))
    target = torch.where(batch[KEEP] > 0.5, red, torch.where(batch[SKIN] > 0.5, blue, torch.ones(())))
    apparel = torch.where(batch[KEEP] > 0.5, target, 1)
    return batch.updated({APPAREL: apparel, BODY: target})


@pytest.mark.parametrize("name", MOVES)
def test_colors_of_kept_pixels_and_others_do_not_mix(name: str) -> None:
    batch = flat()
    for seed in range(4):
        torch.manual_seed(seed)
        changed = build(name)(batch)
        kept = (changed[KEEP] > 0.5).expand_as(changed[BODY])
        red = torch.tensor([0.8, 0.1, 0.1])[None, :, None, None].expand_as(changed[BODY])
        torch.testing.assert_close(changed[BODY][kept], red[kept], rtol=0, atol=1e-5)
        assert torch.equal(changed[APPAREL], torch.where(kept, changed[BODY], 1))
        # beside kept pixels there is blue, white, and what lies between: never red
        red_fraction = changed[BODY][:, 0] - changed[BODY][:, 2]
        assert red_fraction[changed[KEEP][:, 0] < 0.5].max() < 1e-5
        assert changed[KEEP].any() and changed[SKIN].any()


@pytest.mark.parametrize("name", MOVES)
def test_two_images_of_different_files_are_moved_each_for_itself(name: str) -> None:
    """JPEG files of one person differ a little, and clothes that are nearly white count as erased there."""
    batch = flat()
    noisy = (batch[APPAREL] - 0.03).clamp(0, 1)
    torch.manual_seed(3)
    exact_change = build(name)(batch)
    torch.manual_seed(3)
    changed = build(name)(batch.updated({APPAREL: noisy}))
    torch.testing.assert_close(changed[BODY], exact_change[BODY], rtol=0, atol=1e-5)
    kept = (changed[KEEP] > 0.5).expand_as(changed[BODY])
    assert torch.equal(changed[KEEP], exact_change[KEEP])
    torch.testing.assert_close(changed[APPAREL][kept], exact_change[APPAREL][kept] - 0.03, rtol=0, atol=1e-5)
    beside = changed[APPAREL][~kept]
    # what was there keeps its color, what comes in from outside is white
    assert beside.min() > 0.97 - 1e-5 and beside.max() <= 1


def test_what_comes_in_is_background() -> None:
    batch = flat().updated({BODY: torch.zeros(6, 3, *SIZE), KEEP: torch.ones(6, 1, *SIZE)})
    changed = warped(batch, torch.tensor([[[1.0, 0, 6], [0, 1, 0], [0, 0, 1]]]).repeat(6, 1, 1))
    assert (changed[BODY][..., :6] == 1).all() and (changed[BODY][..., 6:] == 0).all()
    assert not changed[KEEP][..., :6].any() and changed[KEEP][..., 6:].all()
    for name in (SKIN, MASK, FACE):
        assert batch[name].any() and not changed[name][..., :6].any()


def test_the_mirror_image_is_exact_and_exchanges_sides() -> None:
    batch = people()
    changed = build("flip", (96, 48))(batch)
    for name in (APPAREL, BODY, KEEP, MASK, SKIN, FACE):
        assert torch.equal(changed[name], batch[name].flip(3)) and batch[name].any()
    pairs = {"RWrist": "LWrist", "LEye": "REye", "LBigToe": "RBigToe", "RHeel": "LHeel", "MidHip": "MidHip"}
    for one, other in pairs.items():
        old = batch[KEYPOINTS][:, BODY_25.index(other)]
        new = changed[KEYPOINTS][:, BODY_25.index(one)]
        found = old[:, 2] > 0
        torch.testing.assert_close(new[found, 0], 47 - old[found, 0])
        assert torch.equal(new[:, 1:], old[:, 1:])
        assert not new[~found].any()


def test_the_pose_is_no_mirrored_image() -> None:
    """Mirrored, the right arm would be where the left one is, in the right one's colors."""
    batch = people()
    changed = build("flip", (96, 48))(batch)
    mirrored = batch[LINE].flip(3)
    # lines are where they would be in the mirrored image
    lit = [(image.amax(1) > 0.2) for image in (changed[LINE], mirrored)]
    assert (lit[0] & lit[1]).sum() > 0.8 * lit[1].sum()
    assert (changed[LINE] - mirrored).abs()[lit[1][:, None].expand_as(mirrored)].mean() > 0.1
    # and twice mirrored is the sample itself
    again = build("flip", (96, 48))(changed)
    torch.testing.assert_close(again[LINE], batch[LINE], rtol=0, atol=0.2)
    assert (again[LINE] - batch[LINE]).abs().mean() < 1e-3
    assert torch.equal(again[BODY], batch[BODY])


def test_points_that_leave_the_image_keep_their_place_and_confidence() -> None:
    batch = with_field(one_pixel(30, 17), LINE, torch.zeros(1, 3, *SIZE), PoseMapType())
    move = build("scale", scale=[4, 4])
    changed = move(batch)
    # 17.5 + 4 * 12.5, 23.5 - 4 * 6.5
    point = changed[KEYPOINTS][0, BODY_25.index("Nose")]
    assert point.tolist() == pytest.approx([67.5, -2.5, 0.8], abs=1e-4)
    assert not changed[KEYPOINTS][0, 1:].any()
    assert not changed[LINE].any()


@pytest.mark.parametrize("shown", [LINE, HEATMAPS])
def test_a_pose_without_keypoints_is_refused(shown: str) -> None:
    batch = people(count=2)
    gone = {KEYPOINTS, LINE, HEATMAPS} - {shown}
    bare = replace(
        batch,
        fields={name: tensor for name, tensor in batch.fields.items() if name not in gone},
        types={name: types for name, types in batch.types.items() if name not in gone},
    )
    for name in ("flip", "affine"):
        with pytest.raises(ValueError, match=f"{shown} shows a pose, .* without their keypoints"):
            build(name, (96, 48))(bare)


@pytest.mark.parametrize("name", MOVES)
def test_samples_that_are_not_chosen_stay_bit_for_bit(name: str) -> None:
    batch = people(count=8, size=(48, 24))
    torch.manual_seed(2)
    changed = build(name, (48, 24), probability=0.5)(batch)
    same = [torch.equal(one, other) for one, other in zip(batch[BODY], changed[BODY], strict=True)]
    assert 0 < sum(same) < 8
    for index in np.flatnonzero(same):
        for part in batch.fields:
            assert torch.equal(changed[part][index], batch[part][index]), part


def labeled_photos(count: int = 6) -> Batch:
    """Return photos in squares of four grays, each with the label map that says which is where."""
    samples = []
    for seed in range(count):
        labels = np.random.default_rng(seed).integers(0, 4, (4, 3), np.uint8).repeat(12, 0).repeat(12, 1)
        fields = {
            IMAGE: Field(ImageType(fill=None), (labels * np.uint8(60))[..., None].repeat(3, axis=2)),
            LABELS: Field(LabelMapType(4), labels),
        }
        samples.append(Sample(str(seed), fields))
    return collate(samples)


@pytest.mark.parametrize("name", MOVES)
def test_the_labels_of_a_photo_move_with_it(name: str) -> None:
    batch = labeled_photos()
    assert batch.size == SIZE
    torch.manual_seed(0)
    changed = build(name)(batch)
    assert not torch.equal(changed[LABELS], batch[LABELS])
    expected = changed[LABELS][:, None] * 60 / 255
    # off the borders of the squares, the gray is the label's; beyond the border the last pixel goes on
    highest, lowest = (sign * torch.nn.functional.max_pool2d(sign * expected, 3, 1, 1) for sign in (1, -1))
    inner = highest == lowest
    assert inner.float().mean() > 0.5
    difference = (changed[IMAGE] - expected).abs()[inner.expand_as(changed[IMAGE])]
    assert difference.max() < 1e-4


def test_the_mirror_image_of_labels_exchanges_left_and_right() -> None:
    batch = labeled_photos(2)
    swapped = LabelMapType(4, (0, 2, 1, 3))
    changed = build("flip")(replace(batch, types={**batch.types, LABELS: [swapped] * 2}))
    assert torch.equal(changed[LABELS], torch.tensor([0, 2, 1, 3])[batch[LABELS]].flip(2))
    assert torch.equal(changed[IMAGE], batch[IMAGE].flip(3))


def test_each_point_and_its_mirror_image_are_a_pair() -> None:
    for index, other in enumerate(MIRRORED):
        assert MIRRORED[other] == index
        assert BODY_25[index].strip("RL") == BODY_25[other].strip("RL")
        assert (index == other) == (BODY_25[index][0] not in "RL")
