from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from pytorch_msssim import ms_ssim as reference_ms_ssim
from scipy.ndimage import binary_dilation
from skimage.color import deltaE_ciede2000, rgb2lab
from torch import Tensor

from skinfw.errors import UserError
from skinfw.evaluation.ciede2000 import ciede2000
from skinfw.interfaces import MetricIO
from skinfw_plugins.metrics.ciede2000 import Ciede2000Metric
from skinfw_plugins.metrics.config import Ciede2000Config, MaeConfig, MsSsimConfig, SeamConfig
from skinfw_plugins.metrics.mae import MaeMetric
from skinfw_plugins.metrics.ms_ssim import MsSsimMetric
from skinfw_plugins.metrics.seam import SeamMetric, border_band

SHARMA = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0011), 7.2195),
    ((50.0, 2.5, 0.0), (56.0, -27.0, -3.0), 31.9030),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]
"""Pairs and differences of the test data of Sharma, Wu and Dalal 2005, table 1."""


def random_images(count: int = 2, size: tuple[int, int] = (24, 20)) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(count, 3, *size, generator=generator)
    output = (target + 0.2 * torch.randn(target.shape, generator=generator)).clamp(0, 1)
    skin = torch.zeros(count, 1, *size)
    skin[:, :, 6:14, 5:15] = 1
    return output, target, skin


@pytest.mark.parametrize(("one", "other", "difference"), SHARMA)
def test_ciede2000_gives_the_published_differences(one: Any, other: Any, difference: float) -> None:
    first, second = (torch.tensor(color, dtype=torch.float64).view(1, 3, 1, 1) for color in (one, other))
    assert ciede2000(first, second).item() == pytest.approx(difference, abs=1e-4)
    assert ciede2000(second, first).item() == pytest.approx(difference, abs=1e-4)


def test_ciede2000_on_skin_equals_skimage() -> None:
    output, target, skin = random_images()
    found = Ciede2000Metric(Ciede2000Config(), MetricIO("skin")).update(output, target, skin)
    for index in range(2):
        painted, true = (rgb2lab(each[index].permute(1, 2, 0).double().numpy()) for each in (output, target))
        expected = deltaE_ciede2000(true, painted)[skin[index, 0].numpy() > 0].mean()
        # kornia and skimage round the white point differently
        assert found[index].item() == pytest.approx(expected, rel=2e-3)


def test_equal_images_do_not_differ_in_color() -> None:
    _, target, skin = random_images()
    found = Ciede2000Metric(Ciede2000Config(), MetricIO("skin")).update(target, target, skin)
    assert found.tolist() == [0, 0]


@pytest.mark.parametrize("region", ["image", "skin"])
def test_mae_equals_numpy(region: Any) -> None:
    output, target, skin = random_images()
    mask = skin if region == "skin" else None
    found = MaeMetric(MaeConfig(), MetricIO(region)).update(output, target, mask)
    errors = (output - target).abs().numpy()
    for index in range(2):
        chosen = errors[index][:, skin[index, 0].numpy() > 0] if region == "skin" else errors[index]
        assert found[index].item() == pytest.approx(chosen.mean(), rel=1e-5)


def test_ms_ssim_equals_another_library() -> None:
    output, target, _ = random_images(size=(176, 192))
    found = MsSsimMetric(MsSsimConfig(), MetricIO("image")).update(output, target, None)
    expected = reference_ms_ssim(output, target, data_range=1.0, size_average=False)
    assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-4)


@pytest.mark.parametrize(("scales", "side"), [(5, 161), (4, 81), (3, 41)])
def test_ms_ssim_measures_the_smallest_images_that_it_says_it_takes(scales: int, side: int) -> None:
    output, target, _ = random_images(size=(side, side))
    metric = MsSsimMetric(MsSsimConfig(scales=scales), MetricIO("image"))
    found = metric.update(output, target, None)
    assert torch.isfinite(found).all()
    assert (found < 1).all()


def test_ms_ssim_rejects_images_that_are_too_small_and_takes_fewer_scales() -> None:
    output, target, _ = random_images(size=(160, 170))
    with pytest.raises(UserError, match="need 161 pixels per side"):
        MsSsimMetric(MsSsimConfig(), MetricIO("image")).update(output, target, None)
    found = MsSsimMetric(MsSsimConfig(scales=3), MetricIO("image")).update(target, target, None)
    assert found.tolist() == pytest.approx([1, 1])


def test_seam_is_the_gradients_error_in_the_band_by_hand() -> None:
    target = torch.zeros(1, 3, 1, 6)
    output = torch.tensor([0.0, 0.0, 0.5, 0.5, 0.0, 0.0]).expand(1, 3, 1, 6)
    skin = torch.tensor([0.0, 0.0, 1.0, 1.0, 1.0, 1.0]).view(1, 1, 1, 6)
    # with a band of 1 the pixels 1 and 2 count; their steps to the right are 0.5 and 0
    metric = SeamMetric(SeamConfig(band=1), MetricIO("skin"))
    assert metric.update(output, target, skin).tolist() == pytest.approx([0.25])
    # with a band of 2 the pixels 0 to 3: steps of 0, 0.5, 0 and -0.5
    metric = SeamMetric(SeamConfig(band=2), MetricIO("skin"))
    assert metric.update(output, target, skin).tolist() == pytest.approx([0.25])
    # an error that is the same everywhere shows no seam
    assert metric.update(target + 0.3, target, skin).tolist() == pytest.approx([0])


def test_seam_equals_numpys_differences_in_scipys_band() -> None:
    output, target, skin = random_images()
    found = SeamMetric(SeamConfig(), MetricIO("skin")).update(output, target, skin)
    square = np.ones((5, 5), bool)
    for index in range(2):
        difference = (output - target)[index].double().numpy()
        right = np.abs(np.diff(difference, axis=2, append=difference[:, :, -1:]))
        down = np.abs(np.diff(difference, axis=1, append=difference[:, -1:]))
        region = skin[index, 0].numpy() > 0
        band = binary_dilation(region, square) & binary_dilation(~region, square)
        assert found[index].item() == pytest.approx((right + down)[:, band].mean(), rel=1e-5)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_the_band_equals_scipys_dilations(width: int) -> None:
    generator = np.random.default_rng(0)
    region = generator.random((20, 24)) > 0.8
    square = np.ones((2 * width + 1, 2 * width + 1), bool)
    expected = binary_dilation(region, square) & binary_dilation(~region, square)
    found = border_band(torch.from_numpy(region).float()[None, None], width)
    assert np.array_equal(found[0, 0].numpy() > 0, expected)


def test_an_image_without_skin_has_no_seam_to_measure() -> None:
    output, target, skin = random_images()
    skin[0] = 0
    found = SeamMetric(SeamConfig(), MetricIO("skin")).update(output, target, skin)
    assert torch.isnan(found).tolist() == [True, False]
