from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from skinfw.errors import SpecError, UserError
from skinfw.interfaces import DiscriminatorOutput, LossContext, LossIO
from skinfw.interfaces.loss import Discriminate
from skinfw.specs.spec import parse_spec
from skinfw.testing import example_context
from skinfw_plugins.losses.config_adversarial import FeatureMatchingConfig
from skinfw_plugins.losses.feature_matching import FeatureMatchingLoss

LOSS = FeatureMatchingLoss(FeatureMatchingConfig(), LossIO((4, 4)))


def make_context(discriminate: Discriminate) -> LossContext:
    generator = torch.Generator().manual_seed(0)
    output, target = (torch.rand(2, 3, 4, 4, generator=generator) for _ in range(2))
    return example_context(output, target, discriminate=discriminate)


def test_it_is_the_mean_over_layers_then_over_scales() -> None:
    def discriminate(images: Tensor, *, float32: bool = False) -> DiscriminatorOutput:
        layers = ((images, 3 * images[:, :1]), (5 * images[:, 1:, :2, :2],))
        return DiscriminatorOutput((images[:, :1], images[:, :1]), layers)

    example = make_context(discriminate)
    off = (example.output - example.target).abs().numpy()
    fine = (off.mean() + 3 * off[:, :1].mean()) / 2
    coarse = 5 * off[:, 1:, :2, :2].mean()
    assert LOSS.generator_loss(example).item() == pytest.approx((fine + coarse) / 2, rel=1e-5)


def test_the_output_gets_a_gradient_and_the_target_none() -> None:
    layer = nn.Conv2d(3, 2, 3)
    layer.requires_grad_(False)

    def discriminate(images: Tensor, *, float32: bool = False) -> DiscriminatorOutput:
        features = layer(images)
        return DiscriminatorOutput((features[:, :1],), ((features,),))

    example = make_context(discriminate)
    example.output.requires_grad_()
    example.target.requires_grad_()
    LOSS.generator_loss(example).backward()
    assert example.output.grad is not None
    assert example.output.grad.any()
    assert example.target.grad is None


def test_a_discriminator_without_features_is_told_with_what_to_use() -> None:
    def discriminate(images: Tensor, *, float32: bool = False) -> DiscriminatorOutput:
        return DiscriminatorOutput((images[:, :1],))

    with pytest.raises(UserError, match=r"returns no features.*patchgan or multiscale"):
        LOSS.generator_loss(make_context(discriminate))


def test_it_needs_a_discriminator(tiny_spec: Callable[..., Any]) -> None:
    spec = tiny_spec(losses=["l1", "feature_matching"])
    spec.pop("discriminator")
    with pytest.raises(SpecError, match="the loss 'feature_matching' needs one; name a discriminator"):
        parse_spec(spec)


def test_it_does_not_train_the_discriminator(tiny_spec: Callable[..., Any]) -> None:
    with pytest.raises(SpecError, match="no loss trains it; add an adversarial loss"):
        parse_spec(tiny_spec(losses=["l1", "feature_matching"]))
    parse_spec(tiny_spec(losses=["gan", "feature_matching"]))
