from __future__ import annotations

import pytest
import torch
from torch.nn.functional import avg_pool2d

from skinfw.interfaces import DiscriminatorIO
from skinfw_plugins.discriminators.config import MultiscaleConfig
from skinfw_plugins.discriminators.multiscale import MultiscaleDiscriminator


def build(size: tuple[int, int] = (96, 128), **fields: object) -> MultiscaleDiscriminator:
    torch.manual_seed(0)
    config = MultiscaleConfig.model_validate({"base_channels": 2, "patch": 34, **fields})
    return MultiscaleDiscriminator(config, DiscriminatorIO(size, 6))


def example(size: tuple[int, int] = (96, 128)) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(2, 3, *size, generator=generator), torch.rand(2, 6, *size, generator=generator)


def test_each_scale_is_a_patchgan_on_the_averaged_image() -> None:
    network = build().eval()
    image, condition = example()
    outputs = network(image, condition)
    assert len(outputs.logits) == len(outputs.features) == 3
    for single, logits, features in zip(network.networks, outputs.logits, outputs.features, strict=True):
        alone = single(image, condition)
        assert torch.equal(alone.logits[0], logits)
        assert all(torch.equal(one, other) for one, other in zip(alone.features[0], features, strict=True))
        image, condition = (
            avg_pool2d(each, 3, stride=2, padding=1, count_include_pad=False) for each in (image, condition)
        )
    assert outputs.logits[0].shape == (2, 1, 22, 30)
    assert outputs.logits[2].shape == (2, 1, 4, 6)


def test_a_flat_image_stays_flat_at_its_edges() -> None:
    network = build(patch=1, norm="none")
    for logits in network(torch.full((1, 3, 96, 128), 0.3), torch.full((1, 6, 96, 128), 0.8)).logits:
        spread = logits - logits.mean()
        assert spread.abs().max() < 1e-6


def test_scales_have_weights_of_their_own() -> None:
    first, second = build().networks[:2]
    assert not torch.equal(first.layers[0].weight, second.layers[0].weight)


def test_one_scale_is_the_patchgan() -> None:
    network = build(scales=1).eval()
    image, condition = example()
    assert torch.equal(network(image, condition).logits[0], network.networks[0](image, condition).logits[0])


@pytest.mark.parametrize(("patch", "scales", "least"), [(70, 3, 93), (16, 3, 21), (34, 2, 23), (1, 2, 3)])
def test_the_smallest_size_leaves_one_logit_on_the_last_scale(patch: int, scales: int, least: int) -> None:
    config = MultiscaleConfig(patch=patch, scales=scales)
    assert config.size_requirement((512, 512)).minimum == least
    assert config.size_requirement((512, 512)).error((least - 1, least)) is not None
    network = build((least, least), patch=patch, scales=scales).train()
    outputs = network(*example((least, least)))
    assert outputs.logits[-1].shape[2:] == ((2, 2) if patch == 1 else (1, 1))
    if patch > 1:
        with pytest.raises(RuntimeError):
            network(*example((least - 1, least)))


def test_spectral_norm_is_on_every_scale() -> None:
    names = build(spectral_norm=True).state_dict()
    for scale in range(3):
        assert f"networks.{scale}.layers.0.parametrizations.weight.original" in names


def test_the_receptive_field_is_that_of_the_finest_scale() -> None:
    assert build(patch=16).receptive_field == 16


def test_batch_normalization_uses_batch_statistics() -> None:
    assert MultiscaleConfig().uses_batch_statistics
    assert not MultiscaleConfig(norm="instance").uses_batch_statistics
