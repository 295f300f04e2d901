from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve
from torch import Tensor

from skinfw.interfaces import MetricIO
from skinfw_plugins.metrics.config import DetailConfig
from skinfw_plugins.metrics.detail import DetailMetric, detail_ratio, highest_octave


def wave(frequency: float, amplitude: float, size: int = 64) -> Tensor:
    """Return a horizontal wave of a frequency in cycles per pixel around gray."""
    phase = 2 * math.pi * frequency * torch.arange(size, dtype=torch.float64)
    return (0.5 + amplitude * torch.cos(phase)).expand(1, 3, size, size)


def response(frequency: float) -> float:
    """Return the amplitude that the highest octave keeps: 1 minus the binomial filter's response."""
    return 1 - (6 + 8 * math.cos(2 * math.pi * frequency) + 2 * math.cos(4 * math.pi * frequency)) / 16


@pytest.mark.parametrize("frequency", [1 / 16, 1 / 8, 1 / 4, 7 / 16])
def test_a_wave_is_kept_by_the_filters_response(frequency: float) -> None:
    found = highest_octave(wave(frequency, 0.2), None)[0, 0, 32, 8:56]
    expected = response(frequency) * (wave(frequency, 0.2) - 0.5)[0, 0, 32, 8:56]
    torch.testing.assert_close(found, expected)


def test_the_ratio_of_waves_is_that_of_their_energies() -> None:
    inner = torch.zeros(1, 1, 64, 64, dtype=torch.float64)
    inner[..., 4:60, 4:60] = 1
    ratio = detail_ratio(wave(1 / 4, 0.1), wave(1 / 4, 0.2), inner)
    assert ratio.item() == pytest.approx(0.25)
    assert detail_ratio(wave(1 / 4, 0.2), wave(1 / 4, 0.1), inner).item() == pytest.approx(4)
    coarse = detail_ratio(wave(1 / 16, 0.2), wave(1 / 4, 0.2), None).item()
    assert coarse == pytest.approx((response(1 / 16) / response(1 / 4)) ** 2, rel=0.1)


@pytest.mark.parametrize("size", [(40, 30), (256, 128)])
def test_flat_images_of_any_color_are_alike(size: tuple[int, int]) -> None:
    """In float32, their low-pass is not exactly their color."""
    made, true = (
        torch.tensor(color)[None, :, None, None].expand(1, 3, *size)
        for color in ((0.85, 0.66, 0.55), (0.8, 0.6, 0.5))
    )
    region = torch.zeros(1, 1, *size)
    region[..., 3:-3, 5:20] = 1
    assert detail_ratio(made, true, region).item() == detail_ratio(made, true, None).item() == 1
    grainy = torch.rand(1, 3, *size)
    assert detail_ratio(made, grainy, region).item() == 0
    metric = DetailMetric(DetailConfig(), MetricIO("skin"))
    assert metric.values(grainy, made, region).item() == metric.values(made, grainy, region).item() == 0
    assert math.isnan(detail_ratio(made, true, torch.zeros_like(region)).item())


def test_the_metric_counts_too_much_as_too_little() -> None:
    metric = DetailMetric(DetailConfig(), MetricIO("skin"))
    region = torch.ones(1, 1, 64, 64, dtype=torch.float64)
    pairs = [(0.1, 0.2), (0.2, 0.1), (0.2, 0.2)]
    values = [metric.update(wave(1 / 4, one), wave(1 / 4, other), region).item() for one, other in pairs]
    assert values == pytest.approx([0.25, 0.25, 1])
    assert metric.compute() == pytest.approx(0.5)


def test_only_the_region_counts_and_its_border_is_no_detail() -> None:
    region = torch.zeros(1, 1, 32, 32)
    region[..., 8:24, 8:24] = 1
    image = torch.where(region > 0, torch.full((1, 3, 32, 32), 0.6), torch.rand(1, 3, 32, 32))
    assert highest_octave(image, region).abs().max().item() < 1e-6


def test_the_filter_is_scipys_convolution() -> None:
    image = np.random.default_rng(0).random((20, 24))
    weights = np.array([1, 4, 6, 4, 1]) / 16
    low = convolve(image, weights[:, None] * weights, mode="constant")
    norm = convolve(np.ones_like(image), weights[:, None] * weights, mode="constant")
    found = highest_octave(torch.from_numpy(image)[None, None], None)[0, 0].numpy()
    np.testing.assert_allclose(found, image - low / norm, atol=1e-12)


def test_flat_images_are_right_and_an_empty_region_is_unknown() -> None:
    flat = torch.full((2, 3, 16, 16), 0.5)
    region = torch.ones(2, 1, 16, 16)
    region[1] = 0
    found = DetailMetric(DetailConfig(), MetricIO("skin")).update(flat, flat, region)
    assert found[0].item() == 1
    assert found[1].isnan()
