from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from skimage import metrics as reference
from torch import Tensor

from skinfw.components.measured_region import Region
from skinfw.errors import UserError
from skinfw.interfaces import Metric, MetricIO
from skinfw_plugins.metrics.config import MseConfig, PsnrConfig, SsimConfig
from skinfw_plugins.metrics.mse import MseMetric
from skinfw_plugins.metrics.psnr import PsnrMetric
from skinfw_plugins.metrics.ssim import SsimMetric

Array = np.ndarray


def images(count: int = 3, size: tuple[int, int] = (40, 48)) -> tuple[Tensor, Tensor, Tensor]:
    """Smooth images with noise and a skin region away from the edges."""
    rng = np.random.default_rng(0)
    target = gaussian_filter(rng.random((count, 3, *size)), (0, 0, 3, 3)) * 4 - 1.5
    output = np.clip(target + rng.normal(0, 0.1, target.shape), 0, 1)
    skin = np.zeros((count, 1, *size), np.float32)
    skin[:, :, 8:20, 10:30] = 1
    skin[1:, :, 25:28, 12:14] = 1
    return (
        torch.from_numpy(output.astype(np.float32)),
        torch.from_numpy(np.clip(target, 0, 1).astype(np.float32)),
        torch.from_numpy(skin),
    )


def build(name: str, region: Region = "image") -> Metric:
    io = MetricIO(region)
    if name == "mse":
        return MseMetric(MseConfig(), io)
    return PsnrMetric(PsnrConfig(), io) if name == "psnr" else SsimMetric(SsimConfig(), io)


def channels_last(tensor: Tensor) -> Array:
    return np.moveaxis(tensor.double().numpy(), 0, -1)


def skimage_value(name: str, output: Tensor, target: Tensor) -> float:
    painted, true = channels_last(output), channels_last(target)
    if name == "mse":
        return float(reference.mean_squared_error(true, painted))
    return float(reference.peak_signal_noise_ratio(true, painted, data_range=1))


@pytest.mark.parametrize("name", ["mse", "psnr"])
def test_whole_image_equals_scikit_image_per_image_and_on_average(name: str) -> None:
    output, target, _ = images()
    metric = build(name)
    values = metric.update(output, target, None)
    expected = [skimage_value(name, *pair) for pair in zip(output, target, strict=True)]
    assert values is not None
    assert values.tolist() == pytest.approx(expected, rel=1e-4)
    assert metric.compute() == pytest.approx(np.mean(expected), rel=1e-4)


@pytest.mark.parametrize("name", ["mse", "psnr"])
def test_skin_region_equals_scikit_image_on_its_pixels(name: str) -> None:
    output, target, skin = images()
    values = build(name, "skin").update(output, target, skin)
    assert values is not None
    for index in range(len(output)):
        region = skin[index, 0] > 0.5
        expected = skimage_value(name, output[index][:, region], target[index][:, region])
        assert values[index].item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", ["mse", "psnr", "ssim"])
def test_skin_region_does_not_depend_on_far_pixels(name: str) -> None:
    output, target, skin = images()
    before = build(name, "skin").update(output, target, skin)
    # more than half a window away from the region
    output[:, :, 36:] = 0
    assert before is not None
    after = build(name, "skin").update(output, target, skin)
    assert after is not None
    assert torch.equal(before, after)


@pytest.mark.parametrize("name", ["mse", "psnr", "ssim"])
def test_an_image_without_skin_is_nan_and_left_out_of_the_mean(name: str) -> None:
    output, target, skin = images()
    skin[1] = 0
    metric = build(name, "skin")
    values = metric.update(output, target, skin)
    assert values is not None
    assert torch.isnan(values).tolist() == [False, True, False]
    assert metric.compute() == pytest.approx((values[0] + values[2]).item() / 2, rel=1e-6)


@pytest.mark.parametrize("region", ["image", "skin"])
@pytest.mark.parametrize("name", ["mse", "psnr", "ssim"])
def test_batches_of_any_size_give_the_same_mean(name: str, region: Region) -> None:
    output, target, skin = images(5)
    mask = skin if region == "skin" else None
    whole, parts = build(name, region), build(name, region)
    whole.update(output, target, mask)
    for chosen in (slice(0, 1), slice(1, 4), slice(4, 5)):
        parts.update(output[chosen], target[chosen], None if mask is None else mask[chosen])
    assert parts.compute() == pytest.approx(whole.compute(), rel=1e-6)


@pytest.mark.parametrize(("name", "best"), [("mse", 0.0), ("psnr", 100.0), ("ssim", 1.0)])
def test_identical_images_get_the_best_value(name: str, best: float) -> None:
    _, target, _ = images()
    metric = build(name)
    metric.update(target, target, None)
    assert metric.compute() == pytest.approx(best)


@pytest.mark.parametrize("name", ["mse", "psnr", "ssim"])
def test_nothing_gives_nan(name: str) -> None:
    metric = build(name)
    assert math.isnan(metric.compute())
    output, target, _ = images(1)
    metric.update(output, target, None)
    assert not math.isnan(metric.compute())


def test_ssim_rejects_images_smaller_than_its_window() -> None:
    metric = build("ssim")
    metric.update(*images(1, (11, 11))[:2], None)
    with pytest.raises(UserError, match="10x40 are smaller than its 11x11"):
        metric.update(*images(1, (10, 40))[:2], None)


@pytest.mark.parametrize(("name", "direction", "unit"), [("mse", "lower", ""), ("psnr", "higher", "dB")])
def test_direction_and_unit(name: str, direction: str, unit: str) -> None:
    metric = build(name)
    assert (metric.direction, metric.unit) == (direction, unit)
