from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from counting import parameters
from torch import nn

from skinfw.testing import example_generator_io
from skinfw_plugins.generators.config_architectures import LamaConfig
from skinfw_plugins.generators.fourier import FourierBlock, FourierConv
from skinfw_plugins.generators.lama import LamaGenerator

INPUTS = ("apparel_head_foot", "line", "segmentation_skin")


def build(inputs: int = 2, **fields: object) -> LamaGenerator:
    torch.manual_seed(0)
    config = LamaConfig.model_validate({"base_channels": 4, "blocks": 1, **fields})
    return LamaGenerator(config, example_generator_io((32, 32), INPUTS[:inputs]))


@pytest.mark.parametrize(("blocks", "millions"), [(9, 27), (18, 51)])
def test_parameters_of_the_papers_networks_equal_a_count_by_hand(blocks: int, millions: int) -> None:
    with torch.device("meta"):
        # with the noise there are four channels, as the paper's image and mask have
        network = build(inputs=1, base_channels=64, blocks=blocks, noise="channel")
    down = (
        49 * 4 * 64 + 2 * 64
        + 9 * 64 * 128 + 2 * 128
        + 9 * 128 * 256 + 2 * 256
        + 9 * 256 * 128 + 9 * 256 * 384 + 2 * 512  # 128 local channels and 384 global ones
    )  # fmt: skip
    convolution = (
        9 * 512 * 128  # local from all
        + 9 * 128 * 384  # global from local
        + 384 * 192 + 2 * 192  # the transform narrows,
        + 384 * 384 + 2 * 384  # mixes real and imaginary parts,
        + 192 * 384  # and widens
        + 2 * 512
    )  # fmt: skip
    up = (
        9 * 512 * 256 + 2 * 256
        + 9 * 256 * 128 + 2 * 128
        + 9 * 128 * 64 + 2 * 64
        + 49 * 64 * 3 + 3
    )  # fmt: skip
    assert parameters(network) == down + blocks * 2 * convolution + up
    assert round(parameters(network) / 1e6) == millions  # the paper's table 1, and its supplement


def test_layers_are_the_papers() -> None:
    network = build(blocks=3)
    kinds = [[type(layer) for layer in block] for block in network.down]
    plain = [nn.Conv2d, nn.BatchNorm2d, nn.ReLU]
    assert kinds == [plain, plain, plain, [FourierConv, nn.BatchNorm2d, nn.ReLU]]
    assert [type(block) for block in network.blocks] == [FourierBlock] * 3
    assert [type(block[0]) for block in network.up] == [nn.ConvTranspose2d] * 3
    fourier = [module for module in network.modules() if isinstance(module, FourierConv)]
    # of 32 innermost channels 8 are local
    assert [module.to_local.out_channels for module in fourier] == [8] * 7
    assert [module.local_to_global.out_channels for module in fourier] == [24] * 7
    assert [module.transform is None for module in fourier] == [True] + [False] * 6


def test_one_block_sees_the_whole_image(footprint: Callable[..., Any]) -> None:
    network = build(norm="none", base_channels=1)
    assert footprint(network, (96, 112), (48, 56)) == ((0, 95), (0, 111))
    # without the transform the same layers see a part of it
    for module in network.modules():
        if isinstance(module, FourierConv):
            module.transform = None
    (top, bottom), (left, right) = footprint(network, (96, 112), (48, 56))
    assert 0 < top < bottom < 95
    assert 0 < left < right < 111


def test_sizes_too_small_to_be_mirrored_are_refused() -> None:
    assert "at least 16 pixels" in str(LamaConfig().size_requirement((8, 16)).error((8, 16)))


@pytest.mark.parametrize(("ratio", "far"), [(0.01, 1), (0.5, 16), (0.99, 31)])
def test_both_branches_keep_a_channel_at_any_ratio(ratio: float, far: int) -> None:
    network = build(global_ratio=ratio)
    assert network.down[3][0].local_to_global.out_channels == far
    assert network(torch.rand(1, 6, 16, 16)).shape == (1, 3, 16, 16)
