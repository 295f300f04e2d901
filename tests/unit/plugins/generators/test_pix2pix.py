from __future__ import annotations

import pytest
import torch
from counting import parameters
from torch import nn

from skinfw.testing import example_generator_io
from skinfw_plugins.generators.config import Pix2PixConfig
from skinfw_plugins.generators.pix2pix import Pix2PixGenerator

INPUTS = ("apparel_head_foot", "line", "segmentation_skin")


def build(size: tuple[int, int] = (32, 32), inputs: int = 2, **fields: object) -> Pix2PixGenerator:
    torch.manual_seed(0)
    config = Pix2PixConfig.model_validate({"base_channels": 4, **fields})
    return Pix2PixGenerator(config, example_generator_io(size, INPUTS[:inputs]))


def test_parameters_at_512_pixels_equal_a_count_by_hand() -> None:
    with torch.device("meta"):
        network = build((512, 512), inputs=3, base_channels=64)
    # a 4x4 convolution has 16 weights for each pair of channels; a normalization has 2 numbers a channel
    down = (
        16 * 9 * 64 + 64  # 256 px, with bias
        + 16 * 64 * 128 + 2 * 128  # 128 px
        + 16 * 128 * 256 + 2 * 256  # 64 px
        + 16 * 256 * 512 + 2 * 512  # 32 px
        + 4 * (16 * 512 * 512 + 2 * 512)  # 16, 8, 4 and 2 px
        + 16 * 512 * 512 + 512  # 1 px: the bottleneck, with bias
    )  # fmt: skip
    up = (
        16 * 512 * 512 + 2 * 512  # 2 px
        + 4 * (16 * 1024 * 512 + 2 * 512)  # 4, 8, 16 and 32 px
        + 16 * 1024 * 256 + 2 * 256  # 64 px
        + 16 * 512 * 128 + 2 * 128  # 128 px
        + 16 * 256 * 64 + 2 * 64  # 256 px
        + 16 * 128 * 3 + 3  # 512 px, with bias
    )  # fmt: skip
    assert parameters(network) == down + up == 67_005_635


@pytest.mark.parametrize(
    ("size", "depth", "bottleneck"),
    [((64, 64), 6, (1, 1)), ((64, 96), 5, (2, 3)), ((24, 40), 3, (3, 5)), ((8, 16), 3, (1, 2))],
)
def test_depth_follows_the_size(size: tuple[int, int], depth: int, bottleneck: tuple[int, int]) -> None:
    network = build(size).eval()
    assert len(network.down) == depth
    x = torch.rand(1, 6, *size)
    for block in network.down:
        x = block(x)
    assert tuple(x.shape[-2:]) == bottleneck
    assert network(torch.rand(1, 6, *size)).shape == (1, 3, *size)


def test_depth_can_be_set_and_then_accepts_every_multiple_of_its_stride() -> None:
    network = build((32, 32), depth=2).eval()
    requirement = network.config.size_requirement((32, 32))
    assert requirement.multiple_of == 4
    for size in [(4, 4), (12, 20), (32, 32)]:
        assert requirement.error(size) is None
        assert network(torch.rand(1, 6, *size)).shape == (1, 3, *size)
    assert "multiples of 4" in str(requirement.error((32, 34)))


@pytest.mark.parametrize(
    ("size", "text"), [((100, 100), "multiples of 8, for instance 96x96"), ((4, 8), "at least 8 pixels")]
)
def test_sizes_that_cannot_be_halved_three_times_are_refused(size: tuple[int, int], text: str) -> None:
    assert text in str(Pix2PixConfig().size_requirement(size).error(size))


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_batch_of_one_trains_down_to_a_1x1_bottleneck(norm: str) -> None:
    network = build((16, 16), norm=norm).train()
    network(torch.rand(1, 6, 16, 16)).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize(("norm", "kind"), [("batch", nn.BatchNorm2d), ("instance", nn.InstanceNorm2d)])
def test_biases_stand_only_where_no_normalization_follows(norm: str, kind: type[nn.Module]) -> None:
    network = build((32, 32), norm=norm)
    blocks = [*network.down, *network.up]
    normalized = [any(isinstance(layer, kind) for layer in block) for block in blocks]
    assert normalized == [False, True, True, True, False, True, True, True, True, False]
    for block, followed in zip(blocks, normalized, strict=True):
        convolution = next(layer for layer in block if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)))
        assert (convolution.bias is None) == followed


def test_weights_start_as_in_the_paper() -> None:
    network = build((8, 8), base_channels=32)
    convolution = network.down[1][1]
    assert convolution.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert convolution.weight.mean().item() == pytest.approx(0, abs=0.001)
    scale = network.down[1][2].weight
    assert scale.mean().item() == pytest.approx(1, abs=0.01)
    assert 0.01 < scale.std().item() < 0.03


def test_every_skip_connection_carries() -> None:
    network = build((16, 16), norm="none").eval()
    condition = torch.rand(1, 6, 16, 16)
    whole = network(condition)
    for index in range(1, len(network.up)):
        cut = build((16, 16), norm="none").eval()
        transposed = next(layer for layer in cut.up[index] if isinstance(layer, nn.ConvTranspose2d))
        with torch.no_grad():
            # the second half of the incoming channels is the skip
            transposed.weight[transposed.in_channels // 2 :] = 0
        assert not torch.equal(cut(condition), whole), index


def test_dropout_acts_in_training_only_and_is_off_by_default() -> None:
    condition = torch.rand(2, 6, 32, 32)
    without = build().train()
    assert torch.equal(without(condition), without(condition))
    network = build((32, 32), dropout=0.5)
    assert not torch.equal(network.train()(condition), network(condition))
    assert torch.equal(network.eval()(condition), network(condition))


def test_input_is_scaled_around_zero() -> None:
    # a mid-gray condition becomes 0, so only the bias of the first convolution is seen
    network = build((8, 8)).eval()
    seen: list[torch.Tensor] = []
    network.down[0].register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    network(torch.full((1, 6, 8, 8), 0.5))
    network(torch.ones(1, 6, 8, 8))
    assert torch.equal(seen[0], torch.zeros(1, 6, 8, 8))
    assert torch.equal(seen[1], torch.ones(1, 6, 8, 8))
