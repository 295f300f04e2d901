from __future__ import annotations

import pytest
import torch

from skinfw.interfaces import MetricIO
from skinfw_plugins.metrics.alpha_iou import AlphaIouMetric
from skinfw_plugins.metrics.config import AlphaIouConfig


def test_the_overlap_counted_by_hand() -> None:
    alpha = torch.tensor([[[[0.9, 0.6, 0.5, 0.2, 1.0]]], [[[0.0, 0.4, 0.1, 0.0, 0.0]]]])
    skin = torch.tensor([[[[1.0, 0.0, 1.0, 1.0, 1.0]]], [[[0.0, 0.0, 0.0, 0.0, 1.0]]]])
    mask = torch.tensor([[[[1.0, 1.0, 1.0, 1.0, 0.0]]], [[[1.0, 1.0, 1.0, 1.0, 0.0]]]])
    metric = AlphaIouMetric(AlphaIouConfig(), MetricIO("mask"))
    # the first: one pixel is in both (0.5 is not above 0.5), four are in either; the second has neither
    assert metric.update(alpha, skin, mask).tolist() == [0.25, 1.0]
    assert metric.compute() == pytest.approx(0.625)
    whole = AlphaIouMetric(AlphaIouConfig(regions=("image",)), MetricIO("image"))
    assert whole.update(alpha, skin, None).tolist() == pytest.approx([2 / 5, 0.0])
