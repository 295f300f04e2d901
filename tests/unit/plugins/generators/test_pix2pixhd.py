from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from counting import parameters
from torch import nn

from skinfw.testing import example_generator_io
from skinfw_plugins.generators.config_architectures import Pix2PixHDConfig
from skinfw_plugins.generators.pix2pixhd import Pix2PixHDGenerator, ResidualBlock

INPUTS = ("apparel_head_foot", "line", "segmentation_skin")
TINY = {"base_channels": 4, "downsamplings": 2, "blocks": 1, "enhancer_blocks": 1}


def build(inputs: int = 2, size: tuple[int, int] = (64, 64), **fields: object) -> Pix2PixHDGenerator:
    torch.manual_seed(0)
    config = Pix2PixHDConfig.model_validate({**TINY, **fields})
    return Pix2PixHDGenerator(config, example_generator_io(size, INPUTS[:inputs]))


def test_parameters_of_the_papers_network_equal_a_count_by_hand() -> None:
    with torch.device("meta"):
        network = Pix2PixHDGenerator(Pix2PixHDConfig(), example_generator_io((1024, 512), INPUTS))
    # a 7x7 convolution has 49 weights for each pair of channels, a 3x3 one 9; a normalization 2 a channel
    down = (
        49 * 9 * 64 + 2 * 64  # c7s1-64
        + 9 * 64 * 128 + 2 * 128  # d128
        + 9 * 128 * 256 + 2 * 256  # d256
        + 9 * 256 * 512 + 2 * 512  # d512
        + 9 * 512 * 1024 + 2 * 1024  # d1024
    )  # fmt: skip
    blocks = 9 * 2 * (9 * 1024 * 1024 + 2 * 1024)  # R1024, nine times
    up = (
        9 * 1024 * 512 + 2 * 512  # u512
        + 9 * 512 * 256 + 2 * 256  # u256
        + 9 * 256 * 128 + 2 * 128  # u128
        + 9 * 128 * 64 + 2 * 64  # u64
    )  # fmt: skip
    enhancer = (
        49 * 9 * 32 + 2 * 32  # c7s1-32
        + 9 * 32 * 64 + 2 * 64  # d64
        + 3 * 2 * (9 * 64 * 64 + 2 * 64)  # R64, three times
        + 9 * 64 * 32 + 2 * 32  # u32
    )  # fmt: skip
    last = 49 * 32 * 3 + 3  # c7s1-3
    assert parameters(network) == down + blocks + up + enhancer + last == 182_751_939


def test_layers_are_the_papers() -> None:
    network = build(enhancers=0)
    kinds = {
        nn.Conv2d: lambda conv: f"{conv.kernel_size[0]}s{conv.stride[0]}-{conv.out_channels}",
        nn.ConvTranspose2d: lambda conv: f"u{conv.out_channels}",
        nn.InstanceNorm2d: lambda _: "norm",
        nn.ReLU: lambda _: "relu",
    }
    seen = [kinds[type(module)](module) for module in network.modules() if type(module) in kinds]
    after = ["norm", "relu"]
    down = ["7s1-4", *after, "3s2-8", *after, "3s2-16", *after]
    assert seen == [*down, "3s1-16", *after, "3s1-16", "norm", "u8", *after, "u4", *after, "7s1-3"]
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    assert all(convolution.padding_mode == "reflect" for convolution in convolutions)


@pytest.mark.parametrize("enhancers", [0, 1, 2])
def test_each_enhancer_doubles_the_size_that_the_global_generator_works_at(enhancers: int) -> None:
    network = build(enhancers=enhancers).eval()
    seen: list[tuple[int, ...]] = []
    network.down.register_forward_pre_hook(lambda _, given: seen.append(tuple(given[0].shape)))
    for enhancer in network.enhancers:
        enhancer.register_forward_pre_hook(lambda _, given: seen.extend(tuple(x.shape) for x in given))
    assert network(torch.rand(1, 6, 64, 32)).shape == (1, 3, 64, 32)
    shapes = [(1, 6, 64 // 2**enhancers, 32 // 2**enhancers)]
    for level in range(enhancers - 1, -1, -1):
        channels = 4 // 2 ** (enhancers - 1 - level)
        shapes.append((1, 6, 64 // 2**level, 32 // 2**level))
        shapes.append((1, channels, 32 // 2**level, 16 // 2**level))
    assert seen == shapes


def test_the_coarser_networks_features_are_added_before_the_enhancers_residual_blocks() -> None:
    enhancer = build(norm="none").enhancers[0].eval()
    condition, coarse = torch.rand(1, 6, 16, 16), torch.rand(1, 4, 8, 8)
    expected = enhancer.up(enhancer.blocks(enhancer.down(condition) + coarse))
    assert torch.equal(enhancer(condition, coarse), expected)
    assert not torch.equal(enhancer(condition, coarse), enhancer(condition, 0 * coarse))


def test_the_global_generator_sees_means_of_the_pixels_around_every_second_one() -> None:
    network = build().eval()
    seen: list[torch.Tensor] = []
    network.down.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    condition = torch.rand(1, 6, 32, 32)
    network(condition)
    scaled = condition * 2 - 1
    assert torch.allclose(seen[0][..., 0, 0], scaled[..., :2, :2].mean(dim=(2, 3)), atol=1e-6)
    assert torch.allclose(seen[0][..., 3, 5], scaled[..., 5:8, 9:12].mean(dim=(2, 3)), atol=1e-6)


@pytest.mark.parametrize("enhancers", [0, 1])
def test_receptive_field_is_what_the_layers_add_up_to(
    footprint: Callable[..., Any], traced: Callable[..., Any], enhancers: int
) -> None:
    network = build(norm="none", base_channels=2, downsamplings=1, enhancers=enhancers)
    residual = [("conv", 3, 1, 1)] * 2
    layers: list[Any] = [("conv", 7, 1, 1), ("conv", 3, 2, 1), *residual, ("transposed",)]
    if enhancers:
        # the way round by the global generator is the widest
        layers = [("conv", 3, 2, 1), *layers, *residual, ("transposed",)]
    layers.append(("conv", 7, 1, 1))
    spans = footprint(network, (96, 120), (47, 60))
    assert spans == (traced(layers, 47), traced(layers, 60))
    assert spans[0][0] > 0
    assert spans[1][1] < 119


def test_a_residual_block_adds_what_it_makes() -> None:
    block = ResidualBlock(3, "none")
    nn.init.zeros_(block.second[0].weight)
    nn.init.constant_(block.second[0].bias, 0.25)
    x = torch.rand(1, 3, 4, 4)
    assert torch.allclose(block(x), x + 0.25)


def test_sizes_follow_the_stride_of_all_networks_together() -> None:
    requirement = Pix2PixHDConfig(enhancers=2).size_requirement((512, 512))
    assert (requirement.multiple_of, requirement.minimum) == (64, 128)
    assert "multiples of 32" in str(Pix2PixHDConfig().size_requirement((100, 100)).error((100, 100)))


def test_channels_that_cannot_be_halved_are_refused() -> None:
    with pytest.raises(ValueError, match="with enhancers 2, base_channels must be a multiple of 4"):
        Pix2PixHDConfig.model_validate({"base_channels": 6, "enhancers": 2})
