from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_msssim import ms_ssim

from skinfw.components.field_names import SKIN
from skinfw.errors import SpecError
from skinfw.interfaces import LossContext, LossIO
from skinfw.specs.spec import parse_spec
from skinfw.testing import example_context
from skinfw_plugins.losses.config import MsSsimConfig, SsimConfig
from skinfw_plugins.losses.ms_ssim import MsSsimLoss
from skinfw_plugins.losses.ssim import SsimLoss


def make_context(size: tuple[int, int], batch: int = 2) -> LossContext:
    """Smooth images, and the same with noise: similar enough for every scale to count."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(batch, 3, 8, 8, generator=generator)
    target = torch.nn.functional.interpolate(coarse, size, mode="bilinear")
    output = (target + 0.2 * torch.randn(target.shape, generator=generator)).clamp(0, 1)
    skin = torch.zeros(batch, 1, *size)
    skin[:, :, size[0] // 3 : size[0] // 2, size[1] // 4 : size[1] // 2] = 1
    return example_context(output, target, segmentation_skin=skin)


def ssim(**fields: Any) -> SsimLoss:
    return SsimLoss(SsimConfig.model_validate(fields), LossIO((40, 56)))


def multiscale(**fields: Any) -> MsSsimLoss:
    return MsSsimLoss(MsSsimConfig.model_validate(fields), LossIO((192, 176)))


@pytest.mark.parametrize("loss", [ssim(region="skin"), multiscale(scales=2, region="skin")])
def test_the_same_image_costs_nothing(loss: Any) -> None:
    target = make_context((40, 56)).target
    context = example_context(target, target, segmentation_skin=torch.ones_like(target[:, :1]))
    assert loss.generator_loss(context).item() == pytest.approx(0, abs=1e-5)


def test_ms_ssim_equals_pytorch_msssim() -> None:
    example = make_context((192, 176))
    expected = 1 - ms_ssim(example.output, example.target, data_range=1).item()
    assert multiscale().generator_loss(example).item() == pytest.approx(expected, rel=1e-3)


def test_ms_ssim_with_fewer_scales_equals_pytorch_msssim_with_exponents_that_add_up_to_1() -> None:
    example = make_context((176, 176))
    exponents = np.array([0.0448, 0.2856, 0.3001])
    weights = (exponents / exponents.sum()).tolist()
    expected = 1 - ms_ssim(example.output, example.target, data_range=1, weights=weights).item()
    assert multiscale(scales=3).generator_loss(example).item() == pytest.approx(expected, rel=1e-3)


def test_one_scale_is_ssim() -> None:
    example = make_context((40, 56))
    one = multiscale(scales=1).generator_loss(example)
    assert one.item() == pytest.approx(ssim().generator_loss(example).item(), rel=1e-5)


def test_ms_ssim_of_the_skin_does_not_see_far_pixels() -> None:
    example = make_context((96, 96))
    loss = multiscale(scales=2, region="skin")
    before = loss.generator_loss(example)
    # at half size a window reaches 10 pixels, and averaging one more
    example.output[:, :, 64:] = 0
    assert loss.generator_loss(example).item() == pytest.approx(before.item(), rel=1e-6)
    example.output[:, :, 40:] = 0
    assert loss.generator_loss(example) > before + 0.01


def test_an_image_without_skin_counts_nothing_and_skin_on_the_last_odd_row_counts() -> None:
    example = make_context((97, 97))
    loss = multiscale(scales=3, region="skin")
    example.fields[SKIN][:] = 0
    assert loss.generator_loss(example).item() == 0
    example.fields[SKIN][0, :, -1, 40] = 1
    alone = example_context(
        example.output[:1], example.target[:1], segmentation_skin=example.fields[SKIN][:1]
    )
    assert loss.generator_loss(alone) > 0
    half = loss.generator_loss(alone) / 2
    assert loss.generator_loss(example).item() == pytest.approx(half.item(), rel=1e-5)


def test_opposite_images_have_a_finite_gradient_where_the_similarity_is_below_zero() -> None:
    example = make_context((48, 48))
    output = (1 - example.target).requires_grad_()
    term = multiscale(scales=2).generator_loss(example_context(output, example.target))
    term.backward()
    assert term.item() > 0.95
    assert output.grad is not None
    assert torch.isfinite(output.grad).all()


@pytest.mark.parametrize(
    ("loss", "least"), [("ssim", 11), ("ms_ssim", 161), ({"type": "ms_ssim", "scales": 2}, 21)]
)
def test_images_that_are_too_small_are_rejected_before_anything_runs(
    loss: Any, least: int, tiny_spec: Callable[..., Any]
) -> None:
    spec = tiny_spec(losses=[loss], generator={"type": "pix2pix", "depth": 1})
    spec.pop("discriminator")
    spec["data"]["size"] = [least + 9, least - 1]
    with pytest.raises(
        SpecError, match=rf"\$\.data\.size: loss '\w+': .* is too small: .* at least {least} pixels"
    ):
        parse_spec(spec)


@pytest.mark.parametrize(("scales", "least"), [(1, 11), (2, 21), (3, 41), (5, 161)])
def test_the_smallest_size_works(scales: int, least: int) -> None:
    assert MsSsimConfig(scales=scales).size_requirement((512, 512)).minimum == least
    term = multiscale(scales=scales).generator_loss(make_context((least, least), batch=1))
    assert 0 < term < 1
