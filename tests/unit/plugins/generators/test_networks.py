"""What the networks have in common beyond the contract of generators."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from skinfw.components.registry import installed
from skinfw.testing import example_generator_io

TINY: dict[str, dict[str, Any]] = {
    "dcgan": {"base_channels": 4, "max_channels": 16},
    "gated_unet": {"base_channels": 4},
    "lama": {"base_channels": 4, "blocks": 1},
    "pix2pix": {"base_channels": 4},
    "pix2pixhd": {"base_channels": 4, "downsamplings": 2, "blocks": 1, "enhancer_blocks": 1},
}

each = pytest.mark.parametrize("name", TINY)


def build(name: str, size: tuple[int, int], **fields: object) -> Any:
    torch.manual_seed(0)
    config = installed().config_class("generator", name).model_validate({**TINY[name], **fields})
    network = installed().component_class("generator", name)
    return network(config, example_generator_io(size, ("apparel_head_foot", "line")))


def painted(network: Any, condition: Tensor) -> Tensor:
    shape = network.noise_shape(condition.shape[2:])
    output: Tensor = network(condition, torch.randn(len(condition), *shape) if shape else None)
    return output


@each
def test_output_covers_the_unit_range(name: str) -> None:
    network = build(name, (16, 16)).eval()
    last = network.last if hasattr(network, "last") else network.up[-1][1]
    with torch.no_grad():
        for value, expected in [(50.0, 1.0), (-50.0, 0.0), (0.0, 0.5)]:
            nn.init.zeros_(last.weight)
            last.bias.fill_(value)
            assert torch.allclose(painted(network, torch.rand(1, 6, 16, 16)), torch.tensor(expected))


@each
def test_trains_in_half_precision_and_channels_last(name: str) -> None:
    network = build(name, (32, 48)).to(memory_format=torch.channels_last).train()
    condition = torch.rand(2, 6, 32, 48).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        output = painted(network, condition)
    output.float().square().mean().backward()
    for place, parameter in network.named_parameters():
        assert parameter.grad is not None, place
        assert torch.isfinite(parameter.grad).all(), place


@pytest.mark.parametrize(
    ("name", "fields", "shapes"),
    [
        ("gated_unet", {}, [(16, 16, 16)]),
        ("lama", {}, [(32, 8, 8)]),
        # the three innermost blocks on the way up
        ("pix2pix", {}, [(32, 2, 2), (32, 4, 4), (16, 8, 8)]),
        # the residual blocks of the global generator
        ("pix2pixhd", {"blocks": 3}, [(16, 8, 8)] * 3),
    ],
)
def test_dropout_acts_on_the_innermost_features(
    name: str, fields: dict[str, Any], shapes: list[tuple[int, ...]], dropped: list[tuple[int, ...]]
) -> None:
    painted(build(name, (64, 64), **fields), torch.rand(2, 6, 64, 64))
    assert dropped == shapes
