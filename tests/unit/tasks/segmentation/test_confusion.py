from __future__ import annotations

import numpy as np
import pytest
import torch

from skinfw.data.classes import UNKNOWN, ClassTable
from skinfw.tasks.segmentation.confusion import LabelMetrics, class_groups, confusion, group_iou, mean_iou

CLASSES = ClassTable(
    ("wall", "arm", "leg", "hair"),
    {"background": ("wall",), "skin": ("arm", "leg"), "head": ("hair",)},
    {},
)
TRUTH = torch.tensor([[[0, 0, 1, 1], [2, 2, 2, UNKNOWN]], [[0, 0, 0, 0], [1, 1, 0, 0]]])
FOUND = torch.tensor([[[0, 1, 1, 2], [2, 2, 0, 3]], [[0, 0, 0, 0], [1, 1, 1, 0]]])


def by_masks(found: np.ndarray, truth: np.ndarray, members: list[int]) -> float:
    """Count with sets of pixels instead of a matrix."""
    known = truth != UNKNOWN
    one, other = np.isin(found, members) & known, np.isin(truth, members) & known
    return float((one & other).sum() / (one | other).sum())


def test_a_count_by_hand() -> None:
    matrix = confusion(FOUND[0], TRUTH[0], 4)
    assert matrix.tolist() == [[1, 1, 0, 0], [0, 1, 1, 0], [1, 0, 2, 0], [0, 0, 0, 0]]
    assert group_iou(matrix, [0]) == pytest.approx(1 / 3)
    assert group_iou(matrix, [1]) == pytest.approx(1 / 3)
    assert group_iou(matrix, [2]) == pytest.approx(2 / 4)
    assert group_iou(matrix, [3]) is None
    # arm and leg together: 4 pixels of both, 6 of either
    assert group_iou(matrix, [1, 2]) == pytest.approx(4 / 6)
    assert mean_iou(matrix) == pytest.approx((1 / 3 + 1 / 3 + 1 / 2) / 3)
    assert mean_iou(np.zeros((4, 4), np.int64)) is None


def test_metrics_are_over_all_pixels_and_for_each_image() -> None:
    metrics = LabelMetrics(CLASSES, (2, 4))
    metrics.update(FOUND[:1], TRUTH[:1])
    metrics.update(FOUND[1:], TRUTH[1:])
    values, per_image = metrics.values(), metrics.per_image()
    assert list(values) == list(metrics.info)
    groups = {"person": [1, 2, 3], "skin": [1, 2], "arm": [1], "leg": [2], "wall": [0]}
    found, truth = FOUND.numpy(), TRUTH.numpy()
    for name, members in groups.items():
        assert values[f"{name}/iou"] == pytest.approx(by_masks(found, truth, members)), name
    assert values["hair/iou"] is None and values["head/iou"] is None
    expected = [by_masks(found[index], truth[index], [1, 2]) for index in (0, 1)]
    assert per_image["skin/iou_per_image"] == pytest.approx(expected)
    assert values["skin/iou_per_image"] == pytest.approx(sum(expected) / 2)
    assert per_image["leg/iou_per_image"] == [pytest.approx(2 / 4), None]
    assert values["leg/iou_per_image"] == pytest.approx(2 / 4)
    classes = [values[f"{name}/iou"] for name in ("wall", "arm", "leg")]
    assert values["all/miou"] == pytest.approx(sum(value for value in classes if value is not None) / 3)


def test_random_label_maps_agree_with_counting_masks() -> None:
    generator = torch.Generator().manual_seed(0)
    truth, found = (torch.randint(0, 4, (3, 17, 13), generator=generator) for _ in range(2))
    truth[torch.rand(truth.shape, generator=generator) < 0.1] = UNKNOWN
    metrics = LabelMetrics(CLASSES, (17, 13))
    metrics.update(found, truth)
    for name, members in class_groups(CLASSES).items():
        expected = by_masks(found.numpy(), truth.numpy(), members)
        assert metrics.values()[f"{name}/iou"] == pytest.approx(expected), name


def test_regions_that_are_classes_are_told_once() -> None:
    regions = ClassTable(("background", "skin"), {"background": ("background",), "skin": ("skin",)}, {})
    assert class_groups(regions) == {"person": [1], "background": [0], "skin": [1]}
