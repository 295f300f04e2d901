from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from skinfw.interfaces import Judgement, LossIO, Step
from skinfw_plugins.losses.config import GanConfig, L1Config, MseConfig
from skinfw_plugins.losses.gan import GanLoss
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


def judged(real_logit: float, painted_logit: float) -> Step:
    """A step whose discriminator gives one logit for the target and one for the output."""
    target, output = torch.ones(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)

    def judge(picture: Tensor) -> Judgement:
        logit = real_logit if torch.equal(picture, target) else painted_logit
        return Judgement((torch.full((1, 1, 2, 2), logit),))

    return Step(output, target, torch.ones(1, 1, 4, 4), judge, {})


def sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


@pytest.mark.parametrize(("real", "painted"), [(0.0, 0.0), (1.5, -2.0), (-0.5, 3.0)])
def test_gan_terms_equal_the_formulas_of_the_report(real: float, painted: float) -> None:
    loss = GanLoss(GanConfig(), IO)
    example = judged(real, painted)
    generator = -math.log(sigmoid(painted))
    discriminator = -(math.log(sigmoid(real)) + math.log(1 - sigmoid(painted))) / 2
    assert loss.generator_term(example).item() == pytest.approx(generator, rel=1e-5)
    assert loss.discriminator_term(example).item() == pytest.approx(discriminator, rel=1e-5)


def test_gan_is_finite_and_has_a_gradient_where_a_sigmoid_would_saturate() -> None:
    logits = torch.full((1, 1, 2, 2), -200.0, requires_grad=True)
    example = Step(
        torch.zeros(1, 3, 4, 4),
        torch.ones(1, 3, 4, 4),
        torch.ones(1, 1, 4, 4),
        lambda _: Judgement((logits,)),
        {},
    )
    term = GanLoss(GanConfig(), IO).generator_term(example)
    term.backward()
    assert term.item() == pytest.approx(200)
    assert logits.grad is not None
    assert logits.grad.sum().item() == pytest.approx(-1)


def test_gan_computes_in_float32_when_logits_are_bfloat16() -> None:
    logits = torch.full((1, 1, 2, 2), 6.0, dtype=torch.bfloat16)
    example = Step(
        torch.zeros(1, 3, 4, 4),
        torch.ones(1, 3, 4, 4),
        torch.ones(1, 1, 4, 4),
        lambda _: Judgement((logits,)),
        {},
    )
    term = GanLoss(GanConfig(), IO).generator_term(example)
    assert term.dtype == torch.float32
    assert term.item() == pytest.approx(math.log1p(math.exp(-6)), rel=1e-5)


def test_gan_refuses_a_region() -> None:
    with pytest.raises(ValueError, match="picture"):
        GanConfig.model_validate({"region": "skin"})


@pytest.mark.parametrize("config", [L1Config, MseConfig, GanConfig])
def test_a_negative_weight_is_refused(config: type[L1Config]) -> None:
    with pytest.raises(ValueError, match="weight"):
        config.model_validate({"weight": -1})
