"""Structural similarity where float32 is not enough: flat images, identical images, hard edges."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from skinfw.interfaces import LossIO, MetricIO
from skinfw.testing import example_context
from skinfw_plugins.losses.config import MsSsimConfig as MsSsimLossConfig
from skinfw_plugins.losses.config import SsimConfig as SsimLossConfig
from skinfw_plugins.losses.ms_ssim import MsSsimLoss
from skinfw_plugins.losses.ssim import SsimLoss
from skinfw_plugins.metrics.config import MsSsimConfig, SsimConfig
from skinfw_plugins.metrics.ms_ssim import MsSsimMetric
from skinfw_plugins.metrics.ssim import SsimMetric

SIDE = 48


def flat(value: float) -> Tensor:
    return torch.full((1, 3, SIDE, SIDE), value)


def halves(low: float, high: float) -> Tensor:
    image = flat(low)
    image[..., SIDE // 2 :] = high
    return image


def noisy(base: Tensor, amount: float, seed: int = 0) -> Tensor:
    noise = torch.rand(base.shape, generator=torch.Generator().manual_seed(seed)) - 0.5
    return (base + amount * noise).clamp(0, 1)


PAIRS = {
    "two flat grays": (flat(0.2), flat(0.9)),
    "flat and nearly the same": (flat(0.5), flat(0.5 + 1 / 255)),
    "flat, white": (flat(1.0), flat(254 / 255)),
    "black and white": (flat(0.0), flat(1.0)),
    "flat against an edge": (flat(0.7), halves(0.1, 1.0)),
    "an edge and its negative": (halves(0, 1), halves(1, 0)),
    "a bright edge, slight noise": (halves(0.9, 1.0), noisy(halves(0.9, 1.0), 1e-3)),
    "noise": (noisy(flat(0.5), 0.5), noisy(flat(0.5), 0.5, seed=1)),
}


def skimage_map(output: Tensor, target: Tensor) -> np.ndarray:
    _, full = structural_similarity(
        output[0].permute(1, 2, 0).double().numpy(),
        target[0].permute(1, 2, 0).double().numpy(),
        data_range=1,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    return np.asarray(full)


def metric_value(output: Tensor, target: Tensor, skin: Tensor | None = None) -> float:
    metric = SsimMetric(SsimConfig(), MetricIO("image" if skin is None else "skin"))
    return metric.update(output, target, skin).item()


def loss_value(output: Tensor, target: Tensor, skin: Tensor | None = None) -> float:
    loss = SsimLoss(SsimLossConfig(region="image" if skin is None else "skin"), LossIO((SIDE, SIDE)))
    region = torch.ones(1, 1, SIDE, SIDE) if skin is None else skin
    return loss.generator_loss(example_context(output, target, segmentation_skin=region)).item()


@pytest.mark.parametrize("name", PAIRS)
def test_metric_and_loss_equal_scikit_image_in_float64(name: str) -> None:
    output, target = PAIRS[name]
    full = skimage_map(output, target)
    inside = full[5:-5, 5:-5].mean()
    assert metric_value(output, target) == pytest.approx(inside, abs=1e-7)
    assert loss_value(output, target) == pytest.approx(1 - inside, abs=1e-6)
    skin = torch.zeros(1, 1, SIDE, SIDE)
    skin[..., 6:20, 10:30] = 1  # edges are mirrored in another way there
    on_skin = full[6:20, 10:30].mean()
    assert metric_value(output, target, skin) == pytest.approx(on_skin, abs=1e-7)
    assert loss_value(output, target, skin) == pytest.approx(1 - on_skin, abs=1e-6)


@pytest.mark.parametrize("name", PAIRS)
def test_identical_images_are_exactly_similar_and_none_is_more_so(name: str) -> None:
    for image in PAIRS[name]:
        assert metric_value(image, image) == 1
        assert loss_value(image, image) == 0
        multiscale = MsSsimMetric(MsSsimConfig(scales=2), MetricIO("image"))
        assert multiscale.update(image, image, None).item() == 1
    assert metric_value(*PAIRS[name]) < 1


def test_multiscale_similarity_of_flat_images_is_their_luminance() -> None:
    """Flat images have the contrast and structure of each other: 1 on every scale but the last."""
    low, high = 0.2, 0.9
    expected = ((2 * low * high + 1e-4) / (low**2 + high**2 + 1e-4)) ** (0.2856 / (0.0448 + 0.2856))
    metric = MsSsimMetric(MsSsimConfig(scales=2), MetricIO("image"))
    found = metric.update(flat(low), flat(high), None).item()
    assert found == pytest.approx(expected, abs=1e-7)


def test_the_losses_have_the_gradient_of_float64_and_the_type_of_their_input() -> None:
    output, target = noisy(halves(0.2, 0.9), 0.2), halves(0.2, 0.9)
    gradients = []
    for dtype in (torch.float32, torch.float64):
        seen = output.to(dtype, copy=True).requires_grad_()
        context = example_context(seen, target.to(dtype))
        term = MsSsimLoss(MsSsimLossConfig(scales=2), LossIO((SIDE, SIDE))).generator_loss(context)
        term.backward()
        assert term.dtype == torch.float32
        assert seen.grad is not None
        gradients.append(seen.grad.double())
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-9)
