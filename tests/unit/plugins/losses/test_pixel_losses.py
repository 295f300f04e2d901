from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from skinfw.interfaces import LossIO, Step
from skinfw_plugins.losses.config import L1Config, MseConfig
from skinfw_plugins.losses.l1 import L1Loss
from skinfw_plugins.losses.mse import MseLoss

IO = LossIO((4, 4))


def blind(picture: Tensor) -> Tensor:
    raise AssertionError("this loss must not ask the discriminator")


def step(skin: Tensor | None = None) -> Step:
    generator = torch.Generator().manual_seed(0)
    output, target = (torch.rand(2, 3, 4, 4, generator=generator) for _ in range(2))
    region = (torch.rand(2, 1, 4, 4, generator=generator) > 0.5).float() if skin is None else skin
    return Step(output, target, region, blind, {})


@pytest.mark.parametrize("region", ["picture", "skin"])
def test_l1_and_mse_equal_numpy(region: str) -> None:
    example = step()
    chosen = np.broadcast_to(example.skin.numpy() > 0.5, (2, 3, 4, 4)) if region == "skin" else np.s_[:]
    difference = (example.output - example.target).numpy()[chosen]
    l1 = L1Loss(L1Config.model_validate({"region": region}), IO).generator_term(example)
    mse = MseLoss(MseConfig.model_validate({"region": region}), IO).generator_term(example)
    assert l1.item() == pytest.approx(np.abs(difference).mean(), rel=1e-5)
    assert mse.item() == pytest.approx((difference**2).mean(), rel=1e-5)


def test_an_empty_skin_region_gives_zero_with_a_gradient() -> None:
    example = step(torch.zeros(2, 1, 4, 4))
    example.output.requires_grad_()
    term = L1Loss(L1Config(region="skin"), IO).generator_term(example)
    term.backward()
    assert term.item() == 0
    assert example.output.grad is not None
    assert not example.output.grad.any()


def test_skin_region_gives_no_gradient_elsewhere() -> None:
    example = step()
    example.output.requires_grad_()
    MseLoss(MseConfig(region="skin"), IO).generator_term(example).backward()
    assert example.output.grad is not None
    assert torch.equal((example.output.grad != 0).all(dim=1, keepdim=True), example.skin > 0.5)


@pytest.mark.parametrize("config", [L1Config, MseConfig])
def test_a_negative_weight_is_refused(config: type[L1Config]) -> None:
    with pytest.raises(ValueError, match="weight"):
        config.model_validate({"weight": -1})
