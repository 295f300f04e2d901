from __future__ import annotations

from math import log

import pytest
import torch

from skinfw.interfaces import LossIO
from skinfw.testing.examples import example_context, example_image
from skinfw_plugins.losses.alpha import AlphaCrossEntropyLoss, AlphaDiceLoss
from skinfw_plugins.losses.config import AlphaCrossEntropyConfig, AlphaDiceConfig

ALPHA = torch.tensor([[[[0.8, 0.5], [0.1, 0.9]]]])
SKIN = torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]]])
MASK = torch.tensor([[[[1.0, 1.0], [1.0, 0.0]]]])


def context(alpha: torch.Tensor | None = ALPHA, **fields: torch.Tensor) -> object:
    return example_context(
        example_image(1, (2, 2)), alpha=alpha, **{"segmentation_skin": SKIN, "mask": MASK, **fields}
    )


def test_cross_entropy_by_hand() -> None:
    loss = AlphaCrossEntropyLoss(AlphaCrossEntropyConfig(), LossIO((2, 2)))
    expected = -(log(0.8) + log(1 - 0.5) + log(1 - 0.1)) / 3  # the last pixel is outside the mask
    assert loss.generator_loss(context()).item() == pytest.approx(expected, rel=1e-5)


def test_dice_by_hand() -> None:
    loss = AlphaDiceLoss(AlphaDiceConfig(), LossIO((2, 2)))
    expected = 1 - (2 * 0.8 + 1) / ((0.8 + 0.5 + 0.1) + 1 + 1)
    assert loss.generator_loss(context()).item() == pytest.approx(expected, rel=1e-5)
    nothing = torch.zeros(1, 1, 2, 2)
    assert loss.generator_loss(context(nothing, segmentation_skin=nothing)).item() == 0


def test_an_alpha_of_0_and_1_has_a_finite_loss() -> None:
    loss = AlphaCrossEntropyLoss(AlphaCrossEntropyConfig(region="image"), LossIO((2, 2)))
    assert loss.generator_loss(context(1 - SKIN)).isfinite()
    assert loss.generator_loss(context(SKIN)).item() < 1e-4


def test_without_alpha_there_is_no_loss() -> None:
    loss = AlphaDiceLoss(AlphaDiceConfig(), LossIO((2, 2)))
    with pytest.raises(ValueError, match="no alpha"):
        loss.generator_loss(context(None))
