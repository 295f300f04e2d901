from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from counting import parameters

from skinfw.testing import example_generator_io
from skinfw_plugins.generators.config_architectures import GatedUnetConfig
from skinfw_plugins.generators.gated_unet import GatedConv, GatedUnetGenerator

INPUTS = ("apparel_head_foot", "line", "segmentation_skin")


def build(inputs: int = 2, **fields: object) -> GatedUnetGenerator:
    torch.manual_seed(0)
    config = GatedUnetConfig.model_validate({"base_channels": 4, **fields})
    return GatedUnetGenerator(config, example_generator_io((32, 32), INPUTS[:inputs]))


def gated(kernel: int, incoming: int, outgoing: int) -> int:
    """Count a gated convolution: features and gates have weights and a bias each."""
    return 2 * (kernel * kernel * incoming * outgoing + outgoing)


@pytest.mark.parametrize("skips", [False, True])
def test_parameters_of_the_papers_network_equal_a_count_by_hand(skips: bool) -> None:
    with torch.device("meta"):
        network = build(inputs=3, base_channels=48, skips=skips)
    encoder = gated(5, 9, 48) + gated(3, 48, 96) + gated(3, 96, 96) + gated(3, 96, 192) + gated(3, 192, 192)
    middle = (1 + 4 + 2) * gated(3, 192, 192)
    times = 2 if skips else 1
    decoder = (
        gated(3, 192, 96) + gated(3, times * 96, 96)
        + gated(3, 96, 48) + gated(3, times * 48, 24)
        + 9 * 24 * 3 + 3
    )  # fmt: skip
    assert parameters(network) == encoder + middle + decoder
    assert parameters(network) == (6_703_707 if skips else 6_517_083)


def test_layers_are_those_of_the_papers_coarse_network() -> None:
    gates = [module.both for module in build(skips=False).modules() if isinstance(module, GatedConv)]
    seen = [(conv.kernel_size[0], conv.stride[0], conv.dilation[0], conv.out_channels // 2) for conv in gates]
    assert seen == [
        (5, 1, 1, 4),
        (3, 2, 1, 8), (3, 1, 1, 8), (3, 2, 1, 16), (3, 1, 1, 16),
        (3, 1, 1, 16),
        (3, 1, 2, 16), (3, 1, 4, 16), (3, 1, 8, 16), (3, 1, 16, 16),
        (3, 1, 1, 16), (3, 1, 1, 16),
        (3, 1, 1, 8), (3, 1, 1, 8), (3, 1, 1, 4), (3, 1, 1, 2),
    ]  # fmt: skip


def test_a_gate_lets_features_through_as_far_as_it_is_open() -> None:
    layer = GatedConv(1, 1, 1)
    x = torch.tensor([2.0, -1.0, 0.0]).reshape(1, 1, 1, 3)
    with torch.no_grad():
        layer.both.weight.copy_(torch.tensor([3.0, 0.5]).reshape(2, 1, 1, 1))
        layer.both.bias.copy_(torch.tensor([0.0, 1.0]))
        given = layer(x).flatten()
    # features 6, -3, 0 through ELU: 6, e^-3 - 1, 0; gates 2, 0.5, 1 through the sigmoid
    features = torch.tensor([6.0, -0.950213, 0.0])
    gates = torch.tensor([0.880797, 0.622459, 0.731059])
    assert torch.allclose(given, features * gates, atol=1e-5)


def test_features_keep_their_scale_from_layer_to_layer() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 32, 32, 32)
    start = x.square().mean()
    for _ in range(12):
        x = GatedConv(32, 32, 3)(x)
    assert 0.1 < (x.square().mean() / start).item() < 10


@pytest.mark.parametrize("skips", [False, True])
def test_receptive_field_is_what_the_layers_add_up_to(
    footprint: Callable[..., Any], traced: Callable[..., Any], skips: bool
) -> None:
    network = build(base_channels=2, dilations=[2, 3], skips=skips)
    plain, halved = ("conv", 3, 1, 1), ("conv", 3, 2, 1)
    layers = [
        ("conv", 5, 1, 1),
        *(halved, plain) * 2,
        *(plain, ("conv", 3, 1, 2), ("conv", 3, 1, 3), plain, plain),
        *(("nearest",), plain, plain) * 2,
        plain,
    ]
    spans = footprint(network, (116, 132), (57, 66))
    assert spans == (traced(layers, 57), traced(layers, 66))
    assert spans[0][0] > 0
    assert spans[1][1] < 131


def test_dilation_widens_the_field_to_the_whole_of_a_256_pixel_image(traced: Callable[..., Any]) -> None:
    def field(dilations: tuple[int, ...]) -> int:
        plain, halved = ("conv", 3, 1, 1), ("conv", 3, 2, 1)
        middle = [("conv", 3, 1, step) for step in (1, *dilations, 1, 1)]
        up = [("nearest",), plain, plain] * 2
        layers = [("conv", 5, 1, 1), halved, plain, halved, plain, *middle, *up, plain]
        first, last = traced(layers, 128)
        return int(last - first + 1)

    assert field(GatedUnetConfig().dilations) > 256 > field(())


def test_every_skip_connection_carries() -> None:
    condition = torch.rand(1, 6, 16, 16)
    whole = build().eval()(condition)
    for index in range(2):
        cut = build().eval()
        both = cut.up[index].second.both
        with torch.no_grad():
            # the second half of the incoming channels is the skip
            both.weight[:, both.in_channels // 2 :] = 0
        assert not torch.equal(cut(condition), whole), index


def test_odd_base_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 2"):
        GatedUnetConfig.model_validate({"base_channels": 5})
