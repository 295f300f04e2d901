from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab
from torch import Tensor

from skinfw.components.measured_region import Region
from skinfw.interfaces import MetricIO
from skinfw_plugins.metrics.config import ToneBiasConfig
from skinfw_plugins.metrics.tone_bias import ToneBiasMetric


def metric(region: Region = "skin") -> ToneBiasMetric:
    return ToneBiasMetric(ToneBiasConfig(), MetricIO(region))


def lightness(image: Tensor, shown: np.ndarray) -> float:
    """Return the median of scikit-image's L* over the pixels shown."""
    return float(np.median(rgb2lab(image.permute(1, 2, 0).double().numpy())[..., 0][shown]))


def test_the_value_is_the_difference_of_the_median_lightness_of_the_skin() -> None:
    source = torch.Generator().manual_seed(0)
    output, target = torch.rand(2, 3, 3, 12, 12, generator=source)
    skin = (torch.rand(3, 1, 12, 12, generator=source) > 0.6).float()
    found = metric().update(output, target, skin)
    shown = skin[:, 0].numpy() > 0.5
    expected = [
        lightness(*pair) - lightness(*other)
        for pair, other in zip(zip(output, shown, strict=True), zip(target, shown, strict=True), strict=True)
    ]
    assert found.tolist() == pytest.approx(expected, abs=1e-3)
    whole = metric("image").update(output, target, None)
    every = np.ones((12, 12), bool)
    assert whole[0].item() == pytest.approx(
        lightness(output[0], every) - lightness(target[0], every), abs=1e-3
    )


def test_too_light_is_above_0_too_dark_below_and_the_mean_keeps_the_sign() -> None:
    target = torch.full((3, 3, 4, 4), 0.5)
    output = torch.stack([target[0] + 0.1, target[1] - 0.2, target[2]])
    skin = torch.ones(3, 1, 4, 4)
    skin[2] = 0
    measured = metric()
    light, dark, nothing = measured.update(output, target, skin).tolist()
    assert light > 0 > dark and math.isnan(nothing)
    assert measured.compute() == pytest.approx((light + dark) / 2)


def test_pixels_outside_the_skin_do_not_count() -> None:
    target = torch.full((1, 3, 4, 4), 0.5)
    output = target.clone()
    output[..., 2:] = 1
    skin = torch.ones(1, 1, 4, 4)
    skin[..., 2:] = 0
    assert metric().update(output, target, skin).item() == 0
