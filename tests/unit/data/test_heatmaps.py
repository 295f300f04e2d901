from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from skinfw.data.heatmaps import colored, draw_heatmaps
from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.data.pose_types import HeatMapsType
from skinfw.data.skeleton import COLORS


def pose(**points: tuple[float, float, float]) -> Keypoints:
    values = np.zeros((25, 3), np.float32)
    for name, point in points.items():
        values[BODY_25.index(name)] = point
    return Keypoints(values)


@pytest.mark.parametrize(("size", "sigma"), [((256, 176), 6.0), ((64, 128), 3.0)])
def test_each_map_is_a_gaussian(size: tuple[int, int], sigma: float) -> None:
    places = {"Nose": (40.0, 30.0), "LAnkle": (71.3, 50.8)}
    maps = draw_heatmaps(pose(**{name: (*place, 0.4) for name, place in places.items()}), size)
    assert (maps.shape, maps.dtype) == ((*size, 25), np.uint8)
    rows, columns = np.mgrid[: size[0], : size[1]]
    for name, place in places.items():
        density = multivariate_normal(place, sigma**2)
        expected = 255 * density.pdf(np.stack([columns, rows], axis=2)) / density.pdf(place)
        assert np.abs(maps[..., BODY_25.index(name)] - expected).max() <= 0.501
    assert maps[30, 40, BODY_25.index("Nose")] == 255
    absent = [index for index, name in enumerate(BODY_25) if name not in places]
    assert not maps[..., absent].any()


def test_points_beyond_the_border_reach_into_the_image_or_not_at_all() -> None:
    maps = draw_heatmaps(pose(Nose=(-3, 20, 1), Neck=(-1e9, 3e9, 1), MidHip=(5, 5, 0.05)), (256, 176))
    assert maps[20, 0, 0] == round(255 * np.exp(-9 / 72)) and maps[20, 0, 0] == maps[..., 0].max()
    assert not maps[..., 1:].any()


def test_for_the_eye_the_brightest_map_lends_its_color() -> None:
    maps = np.zeros((1, 3, 25), np.uint8)
    maps[0, 1, 4] = 255
    maps[0, 2, 4], maps[0, 2, 7] = 100, 102
    image = colored(maps)
    assert image[0].tolist() == [[0, 0, 0], list(COLORS[4]), [0, 102, 0]]
    shown = HeatMapsType().show(torch.from_numpy(maps).movedim(-1, 0)[None] / 255)
    assert np.array_equal((shown[0].movedim(0, -1) * 255).round().byte().numpy(), image)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_pose_is_finite(value: float) -> None:
    points = np.zeros((25, 3), np.float32)
    points[3, 1] = value
    with pytest.raises(ValueError, match="keypoints are not finite"):
        Keypoints(points)
