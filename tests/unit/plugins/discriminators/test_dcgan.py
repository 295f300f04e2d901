"""That its layers mirror the generator's is tested with the generator."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from skinfw.interfaces import DiscriminatorIO
from skinfw.testing import check_receptive_field
from skinfw_plugins.discriminators.config import DcganDiscriminatorConfig
from skinfw_plugins.discriminators.dcgan import DcganDiscriminator


def build(
    size: tuple[int, int] = (32, 32), condition_channels: int = 0, **fields: object
) -> DcganDiscriminator:
    torch.manual_seed(0)
    config = DcganDiscriminatorConfig.model_validate({"base_channels": 4, **fields})
    return DcganDiscriminator(config, DiscriminatorIO(size, condition_channels))


@pytest.mark.parametrize("size", [(8, 8), (32, 32), (64, 96)])
def test_an_image_gets_one_logit(size: tuple[int, int]) -> None:
    assert build(size)(torch.rand(2, 3, *size)).logits[0].shape == (2, 1, 1, 1)


def test_features_are_what_every_inner_layer_gives() -> None:
    outputs = build(max_channels=8)(torch.rand(2, 3, 32, 32))
    assert len(outputs.features) == 1
    assert [tuple(each.shape) for each in outputs.features[0]] == [
        (2, 4, 16, 16),
        (2, 8, 8, 8),
        (2, 8, 4, 4),
    ]


def test_normalization_spares_the_first_and_the_last_layer() -> None:
    network = build()
    kinds = [[type(layer) for layer in block] for block in network.down]
    assert kinds[0] == [nn.Conv2d, nn.LeakyReLU]
    assert kinds[1:] == [[nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU]] * 2
    assert {block[-1].negative_slope for block in network.down} == {0.2}
    assert isinstance(network.last, nn.Conv2d)


@pytest.mark.parametrize(("norm", "mixes"), [("batch", True), ("instance", False), ("none", False)])
def test_samples_are_mixed_by_batch_normalization_alone(norm: str, mixes: bool) -> None:
    network = build(norm=norm).train()
    assert network.config.uses_batch_statistics == mixes
    image, others = torch.rand(1, 3, 32, 32), torch.rand(2, 1, 3, 32, 32)
    one, other = (network(torch.cat([image, each])).logits[0][0] for each in others)
    assert torch.allclose(one, other, atol=1e-6) != mixes


def test_the_condition_counts_where_it_is_to() -> None:
    network = build(condition_channels=6, conditional=True).eval()
    image = torch.rand(1, 3, 32, 32)
    blank, other = (network(image, value * torch.ones(1, 6, 32, 32)).logits[0] for value in (0, 1))
    assert not torch.equal(blank, other)
    assert not DcganDiscriminatorConfig().conditional


def test_spectral_normalization_makes_the_largest_singular_value_1() -> None:
    network = build(norm="none", spectral_norm=True).train()
    image = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        for _ in range(50):  # a pass is one step of the power iteration
            network(image)
    network.eval()
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert len(layers) == 4
    for layer in layers:
        largest = torch.linalg.svdvals(layer.weight.detach().flatten(1))[0]
        assert largest.item() == pytest.approx(1, abs=0.02)


def test_spectral_normalization_trains_in_bfloat16() -> None:
    network = build(norm="none", spectral_norm=True).train()
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(torch.rand(1, 3, 32, 32)).logits[0]
    logits.float().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize(("size", "side"), [((8, 8), 10), ((32, 32), 46), ((56, 56), 70)])
def test_receptive_field_is_the_footprint_on_a_larger_image(size: tuple[int, int], side: int) -> None:
    config = DcganDiscriminatorConfig(base_channels=2)
    check_receptive_field(DcganDiscriminator, config, size)
    assert build(size).receptive_field == side


def test_the_whole_image_counts() -> None:
    network = build().double().eval()
    image = torch.rand(1, 3, 32, 32, dtype=torch.float64, requires_grad=True)
    network(image).logits[0].sum().backward()
    assert image.grad is not None
    assert (image.grad.abs().sum(dim=1) > 0).all()


def test_a_size_that_cannot_be_halved_is_refused() -> None:
    requirement = DcganDiscriminatorConfig().size_requirement((100, 100))
    assert "multiples of 16" in str(requirement.error((100, 100)))
