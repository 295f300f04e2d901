from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate
from torch import nn

from skinfw_plugins.generators.fourier import FourierBlock, FourierConv, FourierUnit, SpectralTransform


def seen_by(layer: nn.Module, x: torch.Tensor, place: tuple[int, int, int]) -> torch.Tensor:
    """Return which pixels of each channel one value of the output depends on."""
    x = x.clone().requires_grad_()
    layer(x)[0][place].backward()
    assert x.grad is not None
    return x.grad[0] != 0


@pytest.mark.parametrize("size", [(8, 8), (6, 10), (5, 7)])
def test_the_fourier_unit_is_numpys_transform_with_a_mixing_between(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    unit = FourierUnit(2, "none").eval()
    x = torch.randn(3, 2, *size)
    spectrum = np.fft.rfft2(x.numpy(), norm="ortho")
    parts = np.concatenate([spectrum.real, spectrum.imag], axis=1)
    convolution = unit.spectral[0]
    weight, bias = convolution.weight.detach().numpy()[:, :, 0, 0], convolution.bias.detach().numpy()
    mixed = np.maximum(np.einsum("oc,bchw->bohw", weight, parts) + bias[:, None, None], 0)
    expected = np.fft.irfft2(mixed[:, :2] + 1j * mixed[:, 2:], s=size, norm="ortho")
    assert np.allclose(unit(x).detach().numpy(), expected, atol=1e-5)


def test_the_fourier_unit_sees_every_pixel() -> None:
    torch.manual_seed(0)
    assert seen_by(FourierUnit(2, "none"), torch.randn(1, 2, 9, 12), (0, 4, 6)).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_transforms_run_in_float32_under_autocast(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    unit = FourierUnit(4, "batch").eval()
    x = torch.randn(2, 4, 12, 10)
    with torch.no_grad():
        expected = unit(x)
        with torch.autocast("cpu", dtype):
            given = unit(x.to(dtype))
    assert given.dtype == torch.float32
    assert torch.allclose(given, expected, atol=0.05)


def test_the_spectral_transform_has_half_the_channels_and_a_way_past_the_unit() -> None:
    torch.manual_seed(0)
    transform = SpectralTransform(8, 6, "none")
    assert transform.narrow[0].weight.shape == (3, 8, 1, 1)
    assert transform.unit.spectral[0].weight.shape == (6, 6, 1, 1)
    assert transform.widen.weight.shape == (6, 3, 1, 1)
    for name in ("weight", "bias"):
        nn.init.zeros_(getattr(transform.unit.spectral[0], name))
    x = torch.rand(1, 8, 4, 4)
    assert torch.allclose(transform(x), transform.widen(transform.narrow(x)))


def convolution() -> FourierConv:
    torch.manual_seed(0)
    return FourierConv(6, 8, global_in=4, global_out=5, norm="none")


def test_only_the_global_branch_sees_the_whole_image() -> None:
    x = torch.rand(1, 6, 12, 10)
    near = torch.zeros(12, 10, dtype=torch.bool)
    near[5:8, 4:7] = True
    local = seen_by(convolution(), x, (2, 6, 5))  # the last local channel
    assert torch.equal(local, near.expand(6, -1, -1))
    layer = convolution()
    # the ReLU before the transform shuts no pixel
    nn.init.constant_(layer.transform.narrow[0].weight, 0.5)
    far = seen_by(layer, x, (3, 6, 5))  # the first global channel
    assert torch.equal(far[:2], near.expand(2, -1, -1))
    assert far[2:].all()


def test_branches_exchange_as_scipy_convolves() -> None:
    layer = convolution()
    x = torch.randn(1, 6, 7, 5)
    given = layer(x)[0].detach().numpy()

    def convolved(conv: nn.Conv2d, channel: int) -> np.ndarray:
        weight = conv.weight.detach().numpy()[channel]
        planes = x[0].numpy()[: conv.in_channels]
        # scipy calls the mirroring without the edge itself "mirror"
        return sum(
            correlate(plane, kernel, mode="mirror") for plane, kernel in zip(planes, weight, strict=True)
        )

    def bias(conv: nn.Conv2d) -> float:
        return conv.bias[0].item() if conv.bias is not None else 0.0

    assert np.allclose(given[0], convolved(layer.to_local, 0) + bias(layer.to_local), atol=1e-5)
    transformed = layer.transform(x[:, 2:])[0, 0].detach().numpy()
    plain = convolved(layer.local_to_global, 0) + bias(layer.local_to_global)
    assert np.allclose(given[3], plain + transformed, atol=1e-5)


def test_without_global_channels_nothing_is_transformed() -> None:
    layer = FourierConv(4, 8, global_in=0, global_out=6, norm="batch", stride=2)
    assert layer.transform is None
    assert layer(torch.rand(1, 4, 6, 8)).shape == (1, 8, 3, 4)


def test_a_block_adds_what_its_two_convolutions_make() -> None:
    torch.manual_seed(0)
    block = FourierBlock(8, 6, "batch").eval()
    kinds = [type(layer) for layer in block.layers]
    assert kinds == [FourierConv, nn.BatchNorm2d, nn.ReLU] * 2
    x = torch.randn(1, 8, 4, 4)
    assert torch.equal(block(x), x + block.layers(x))
    nn.init.zeros_(block.layers[4].weight)
    assert torch.equal(block(x), x)
