from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab
from skimage.metrics import peak_signal_noise_ratio
from torch import Tensor
from torchmetrics.functional.image import total_variation as reference_total_variation

from skinfw.components.field_names import SKIN
from skinfw.interfaces import LossContext, LossIO
from skinfw.testing import example_context
from skinfw_plugins.losses.charbonnier import CharbonnierLoss
from skinfw_plugins.losses.config import (
    CharbonnierConfig,
    L1Config,
    MseConfig,
    PsnrConfig,
    TotalVariationConfig,
)
from skinfw_plugins.losses.l1 import L1Loss
from skinfw_plugins.losses.mse import MseLoss
from skinfw_plugins.losses.psnr import PsnrLoss
from skinfw_plugins.losses.total_variation import TotalVariationLoss

IO = LossIO((4, 4))


def make_context(skin: Tensor | None = None) -> LossContext:
    generator = torch.Generator().manual_seed(0)
    output, target = (torch.rand(2, 3, 4, 4, generator=generator) for _ in range(2))
    region = (torch.rand(2, 1, 4, 4, generator=generator) > 0.5).float() if skin is None else skin
    return example_context(output, target, segmentation_skin=region)


def values_of(region: str, example: LossContext) -> np.ndarray:
    """Output minus target, the values of the region's pixels in a row."""
    difference = (example.output - example.target).numpy()
    if region == "image":
        return difference.ravel()
    mask = example.fields[SKIN if region == "skin" else region].numpy() > 0.5
    return difference[np.broadcast_to(mask, difference.shape)]


@pytest.mark.parametrize("region", ["image", "skin", "face", "arms", "hands", "mask"])
def test_l1_and_mse_equal_numpy(region: str) -> None:
    example = make_context()
    difference = values_of(region, example)
    l1 = L1Loss(L1Config.model_validate({"region": region}), IO).generator_loss(example)
    mse = MseLoss(MseConfig.model_validate({"region": region}), IO).generator_loss(example)
    assert l1.item() == pytest.approx(np.abs(difference).mean(), rel=1e-5)
    assert mse.item() == pytest.approx((difference**2).mean(), rel=1e-5)


@pytest.mark.parametrize("region", ["image", "skin"])
def test_psnr_is_the_negated_mean_of_the_images_ratios(region: str) -> None:
    example = make_context()
    config = PsnrConfig.model_validate({"region": region, "floor": 1e-12})
    ratios = []
    for output, target, skin in zip(example.output, example.target, example.fields[SKIN], strict=True):
        chosen = (skin > 0.5).expand(3, -1, -1) if region == "skin" else torch.ones(3, 4, 4, dtype=torch.bool)
        ratios.append(peak_signal_noise_ratio(target[chosen].numpy(), output[chosen].numpy(), data_range=1.0))
    term = PsnrLoss(config, IO).generator_loss(example)
    assert term.item() == pytest.approx(-np.mean(ratios), rel=1e-5)


def test_psnr_may_weight_dark_and_light_skin_more() -> None:
    example = make_context()
    plain, balanced = (PsnrConfig(region="skin", floor=1e-12, balance=each) for each in (0, 0.5))
    expected = []
    for output, target, skin in zip(example.output, example.target, example.fields[SKIN], strict=True):
        chosen = (skin[0] > 0.5).numpy()
        lightness = rgb2lab(target.permute(1, 2, 0).numpy())[..., 0][chosen].mean()
        error = ((output - target).permute(1, 2, 0).numpy()[chosen] ** 2).mean()
        weight = min(8, np.exp(0.5 * ((lightness - 56) / 11) ** 2 / 2))
        expected.append(weight * 10 * np.log10(error))
    term = PsnrLoss(balanced, IO).generator_loss(example)
    assert term.item() == pytest.approx(np.mean(expected), rel=1e-4)
    assert term.item() != pytest.approx(PsnrLoss(plain, IO).generator_loss(example).item(), rel=1e-3)


def test_psnr_leaves_images_without_skin_out_and_stops_at_its_floor() -> None:
    example = make_context()
    skin = example.fields[SKIN].clone()
    skin[1] = 0
    half = example_context(example.output, example.target, segmentation_skin=skin)
    alone = example_context(example.output[:1], example.target[:1], segmentation_skin=skin[:1])
    loss = PsnrLoss(PsnrConfig(region="skin"), IO)
    assert loss.generator_loss(half).item() == pytest.approx(loss.generator_loss(alone).item(), rel=1e-5)
    perfect = example_context(example.target, example.target, segmentation_skin=example.fields[SKIN])
    assert loss.generator_loss(perfect).item() == pytest.approx(-40)


def test_an_empty_skin_region_gives_zero_with_a_gradient() -> None:
    example = make_context(torch.zeros(2, 1, 4, 4))
    example.output.requires_grad_()
    term = L1Loss(L1Config(region="skin"), IO).generator_loss(example)
    term.backward()
    assert term.item() == 0
    assert example.output.grad is not None
    assert not example.output.grad.any()


def test_skin_region_gives_no_gradient_elsewhere() -> None:
    example = make_context()
    example.output.requires_grad_()
    MseLoss(MseConfig(region="skin"), IO).generator_loss(example).backward()
    assert example.output.grad is not None
    assert torch.equal((example.output.grad != 0).all(dim=1, keepdim=True), example.fields[SKIN] > 0.5)


@pytest.mark.parametrize("region", ["image", "skin"])
@pytest.mark.parametrize("eps", [1e-3, 0.5])
def test_charbonnier_equals_numpy(region: str, eps: float) -> None:
    example = make_context()
    difference = values_of(region, example)
    config = CharbonnierConfig.model_validate({"region": region, "eps": eps})
    term = CharbonnierLoss(config, IO).generator_loss(example)
    assert term.item() == pytest.approx(np.sqrt(difference**2 + eps**2).mean(), rel=1e-5)


def test_charbonnier_of_a_perfect_image_is_eps_without_a_gradient() -> None:
    output = make_context().target.clone().requires_grad_()
    example = make_context()
    loss = CharbonnierLoss(CharbonnierConfig(eps=0.01), IO)
    term = loss.generator_loss(example_context(output, example.target))
    term.backward()
    assert term.item() == pytest.approx(0.01)
    assert output.grad is not None
    assert not output.grad.any()


def total_variation(region: str, example: LossContext) -> float:
    loss = TotalVariationLoss(TotalVariationConfig.model_validate({"region": region}), IO)
    return loss.generator_loss(example).item()


def test_total_variation_of_the_image_is_torchmetrics_sum_over_its_pairs() -> None:
    example = make_context()
    # 3 pairs in each of 4 rows and in each of 4 columns, in 3 channels of 2 images
    expected = reference_total_variation(example.output).item() / (2 * 3 * 4 * 3)
    assert total_variation("image", example) == pytest.approx(expected, rel=1e-5)


def test_total_variation_of_the_skin_counts_pairs_of_skin_only() -> None:
    example = make_context()
    sums, counts = np.zeros(2), np.zeros(2)
    for image, skin in zip(example.output.numpy(), example.fields[SKIN][:, 0].numpy() > 0.5, strict=True):
        for row, column in np.ndindex(4, 4):
            for axis, (y, x) in enumerate(((row, column + 1), (row + 1, column))):
                if y < 4 and x < 4 and skin[row, column] and skin[y, x]:
                    sums[axis] += np.abs(image[:, row, column] - image[:, y, x]).sum()
                    counts[axis] += 3
    assert counts.min() > 0
    assert total_variation("skin", example) == pytest.approx((sums / counts).sum(), rel=1e-5)


def test_total_variation_looks_at_the_output_alone() -> None:
    example = make_context()
    flat = example_context(torch.full_like(example.output, 0.3), example.target)
    assert total_variation("image", flat) == 0


@pytest.mark.parametrize("config", [L1Config, MseConfig, CharbonnierConfig, TotalVariationConfig])
def test_a_negative_weight_is_refused(config: type[L1Config]) -> None:
    with pytest.raises(ValueError, match="weight"):
        config.model_validate({"weight": -1})
