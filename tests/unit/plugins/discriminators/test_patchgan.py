from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from skinfw.interfaces import DiscriminatorIO
from skinfw.testing import check_discriminator, check_receptive_field
from skinfw_plugins.discriminators.config import PatchGanConfig
from skinfw_plugins.discriminators.patchgan import PatchGanDiscriminator

PATCHES = (1, 16, 34, 70, 142, 286)
ANNEX = [
    ("Conv2d", (64, 256, 256), 9_280),
    ("LeakyReLU", (64, 256, 256), 0),
    ("Conv2d", (128, 128, 128), 131_072),
    ("BatchNorm2d", (128, 128, 128), 256),
    ("LeakyReLU", (128, 128, 128), 0),
    ("Conv2d", (256, 64, 64), 524_288),
    ("BatchNorm2d", (256, 64, 64), 512),
    ("LeakyReLU", (256, 64, 64), 0),
    ("Conv2d", (512, 32, 32), 2_097_152),
    ("BatchNorm2d", (512, 32, 32), 1_024),
    ("LeakyReLU", (512, 32, 32), 0),
    ("Conv2d", (512, 31, 31), 4_194_304),
    ("BatchNorm2d", (512, 31, 31), 1_024),
    ("LeakyReLU", (512, 31, 31), 0),
    ("Conv2d", (1, 30, 30), 8_193),
]
"""The table of the report's annex, figure 19, but for its last line: the sigmoid."""


def build(
    size: tuple[int, int] = (64, 64), condition_channels: int = 6, **fields: object
) -> PatchGanDiscriminator:
    torch.manual_seed(0)
    config = PatchGanConfig.model_validate({"base_channels": 2, **fields})
    return PatchGanDiscriminator(config, DiscriminatorIO(size, condition_channels))


def test_the_annex_network_layer_by_layer() -> None:
    rows: list[tuple[str, tuple[int, ...], int]] = []

    def record(layer: nn.Module, _: object, output: Tensor) -> None:
        count = sum(parameter.numel() for parameter in layer.parameters())
        kind = "Conv2d" if isinstance(layer, nn.Conv2d) else type(layer).__name__
        rows.append((kind, tuple(output.shape[1:]), count))

    # shapes and counts need no numbers: the meta device computes none
    with torch.device("meta"):
        network = build((512, 512), patch=142, base_channels=64)
        for layer in network.layers:
            layer.register_forward_hook(record)
        network(torch.empty(2, 3, 512, 512), torch.empty(2, 6, 512, 512))
    assert rows == ANNEX
    assert sum(parameter.numel() for parameter in network.parameters()) == 6_967_105


@pytest.mark.parametrize("patch", [1, 70])
@pytest.mark.parametrize("size", [(31, 31), (9, 4), (2, 2)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_scores_and_their_gradients_are_those_of_a_convolution(
    patch: int, size: tuple[int, int], layout: torch.memory_format
) -> None:
    last = build(patch=patch).double().layers[-1]
    assert isinstance(last, nn.Conv2d)
    last.to(memory_format=layout)
    values = torch.randn(2, last.in_channels, *size, dtype=torch.float64).to(memory_format=layout)
    values.requires_grad_()
    needed = [values, *last.parameters()]
    found, expected = last(values), nn.Conv2d.forward(last, values)
    torch.testing.assert_close(found, expected)
    sums = [scores.sin().sum() for scores in (found, expected)]
    torch.testing.assert_close(*(torch.autograd.grad(each, needed) for each in sums))


@pytest.mark.parametrize("patch", PATCHES)
def test_receptive_field_is_the_footprint_of_the_gradient(patch: int) -> None:
    config = PatchGanConfig.model_validate({"patch": patch, "base_channels": 1})
    check_receptive_field(PatchGanDiscriminator, config)
    assert build(patch=patch).receptive_field == patch


@pytest.mark.parametrize("patch", PATCHES[1:])
def test_smallest_accepted_size_gives_one_logit_and_one_less_is_refused(patch: int) -> None:
    config = PatchGanConfig(patch=patch)
    least = config.size_requirement((512, 512)).minimum
    network = build((least, least), patch=patch)
    logits = network(torch.rand(1, 3, least, least), torch.rand(1, 6, least, least)).logits[0]
    assert logits.shape == (1, 1, 1, 1)
    assert config.size_requirement((512, 512)).error((least - 1, least)) is not None
    with pytest.raises(RuntimeError):
        network(torch.rand(1, 3, least - 1, least), torch.rand(1, 6, least - 1, least))


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_patch_1_trains_on_its_smallest_size(norm: str) -> None:
    assert PatchGanConfig(patch=1).size_requirement((512, 512)).minimum == 2
    network = build((2, 2), patch=1, norm=norm).train()
    assert network(torch.rand(1, 3, 2, 2), torch.rand(1, 6, 2, 2)).logits[0].shape == (1, 1, 2, 2)


def test_patch_1_judges_every_pixel_alone() -> None:
    network = build((5, 7), patch=1).eval()
    image, condition = torch.rand(1, 3, 5, 7), torch.rand(1, 6, 5, 7)
    assert network(image, condition).logits[0].shape == (1, 1, 5, 7)
    assert all(layer.kernel_size == (1, 1) for layer in network.layers if isinstance(layer, nn.Conv2d))


def test_condition_is_judged_when_conditional() -> None:
    network = build((64, 64)).eval()
    image = torch.rand(1, 3, 64, 64)
    blank, other = torch.zeros(1, 6, 64, 64), torch.ones(1, 6, 64, 64)
    assert not torch.equal(network(image, blank).logits[0], network(image, other).logits[0])


def test_unconditional_takes_the_image_alone() -> None:
    network = build((64, 64), condition_channels=0, conditional=False)
    assert network.layers[0].in_channels == 3
    assert network(torch.rand(2, 3, 64, 64)).logits[0].shape == (2, 1, 6, 6)


def test_logits_are_not_squashed() -> None:
    network = build((64, 64)).eval()
    with torch.no_grad():
        network.layers[-1].bias.fill_(5.0)
        logits = network(torch.rand(1, 3, 64, 64), torch.rand(1, 6, 64, 64)).logits[0]
    assert logits.mean() > 4


@pytest.mark.parametrize(
    ("patch", "neighbors"),
    [(71, "70 and 142"), (2, "1 and 16"), (300, "286 and 574"), (1149, "574 and 1150")],
)
def test_an_unknown_patch_is_refused_with_its_neighbors(patch: int, neighbors: str) -> None:
    with pytest.raises(ValueError, match=rf"{neighbors} \(allowed: 1, 16, 34, 70, 142, 286, \.\.\."):
        PatchGanConfig.model_validate({"patch": patch})


@pytest.mark.parametrize("patch", [0, -7])
def test_a_patch_without_pixels_is_refused(patch: int) -> None:
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        PatchGanConfig.model_validate({"patch": patch})


@pytest.mark.parametrize(("patch", "halvings"), [(1, 0), (16, 1), (286, 5), (574, 6), (1150, 7), (9214, 10)])
def test_patches_of_any_number_of_halvings_are_accepted(patch: int, halvings: int) -> None:
    assert PatchGanConfig(patch=patch).halvings == halvings


def test_a_large_patch_is_what_gradients_see() -> None:
    config = PatchGanConfig.model_validate({"patch": 574, "base_channels": 1, "norm": "none"})
    check_receptive_field(PatchGanDiscriminator, config)


@pytest.mark.parametrize("patch", [1, 70])
def test_features_are_what_follows_each_activation(patch: int) -> None:
    network = build(patch=patch).eval()
    seen: list[Tensor] = []
    for layer in network.layers:
        if isinstance(layer, nn.LeakyReLU):
            layer.register_forward_hook(lambda _, __, output: seen.append(output.clone()))
    outputs = network(torch.rand(2, 3, 64, 64), torch.rand(2, 6, 64, 64))
    assert len(outputs.features[0]) == len(seen) == (2 if patch == 1 else 4)
    assert all(torch.equal(one, other) for one, other in zip(outputs.features[0], seen, strict=True))


def test_spectral_norm_makes_the_largest_singular_value_one() -> None:
    network = build(spectral_norm=True, norm="none", base_channels=4).train()
    image, condition = torch.rand(1, 3, 32, 32), torch.rand(1, 6, 32, 32)
    with torch.no_grad():
        for _ in range(60):  # steps of the power method
            network(image, condition)
        convolutions = [layer for layer in network.layers if isinstance(layer, nn.Conv2d)]
        values = [float(torch.linalg.svdvals(layer.weight.flatten(1))[0]) for layer in convolutions]
    assert len(values) == 5
    assert values == pytest.approx([1] * 5, abs=0.02)


def test_without_spectral_norm_weights_are_as_they_are_learnt() -> None:
    assert not any("parametrizations" in name for name in build().state_dict())


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_spectral_norm_goes_with_every_normalization(norm: str) -> None:
    config = PatchGanConfig.model_validate(
        {"patch": 16, "base_channels": 2, "norm": norm, "spectral_norm": True}
    )
    check_discriminator(PatchGanDiscriminator, config, (32, 48))


def test_spectral_norm_takes_two_passes_before_one_gradient_and_gradients_of_gradients() -> None:
    network = build(spectral_norm=True, norm="none").train()
    image, condition = torch.rand(1, 3, 64, 64, requires_grad=True), torch.rand(1, 6, 64, 64)
    first, second = (network(image, condition).logits[0].mean() for _ in range(2))
    (slope,) = torch.autograd.grad(first, image, create_graph=True)
    (slope.square().sum() + second).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
