from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from skinfw.assembly.assemble import build_dataset
from skinfw.components.config import GeneratorConfig, Size
from skinfw.data.loading import Loader
from skinfw.inference.batch_inpainter import BatchInpainter
from skinfw.inference.paint import InpaintedBatch, inpaint_batches, sample_noise
from skinfw.interfaces import Generator
from skinfw.specs.spec import parse_spec
from skinfw.testing import example_batch, example_generator_io


class Noisy(Generator[GeneratorConfig]):
    """Paints its noise, and records the mode it was in."""

    def noise_shape(self, size: Size) -> tuple[int, ...]:
        return (3, 4, 4)

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        assert noise is not None
        assert target is None
        assert not self.training
        assert not torch.is_grad_enabled()
        return torch.nn.functional.interpolate(noise.sigmoid(), condition.shape[-2:])


def noisy() -> Noisy:
    return Noisy(GeneratorConfig(), example_generator_io((32, 32), ("apparel_head_foot",)))


def paint(make: Callable[..., Any], generator: Generator[Any], **fields: Any) -> InpaintedBatch:
    spec = parse_spec(make(**fields))
    data = build_dataset(spec)
    loader = Loader(data, data.names()[:3], batch_size=3)
    (painted,) = inpaint_batches(generator, spec, loader, torch.device("cpu"))
    return painted


def test_noise_depends_on_seed_and_name_alone() -> None:
    generator = noisy()
    both = sample_noise(generator, ["a", "b"], (4, 4), seed=1)
    alone = sample_noise(generator, ["b"], (4, 4), seed=1)
    other = sample_noise(generator, ["b"], (4, 4), seed=2)
    assert both is not None
    assert alone is not None
    assert other is not None
    assert both.shape == (2, 3, 4, 4)
    assert torch.equal(both[1], alone[0])
    assert not torch.equal(both[0], both[1])
    assert not torch.equal(alone, other)


def test_a_generator_without_noise_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = noisy()
    monkeypatch.setattr(Noisy, "noise_shape", Generator.noise_shape)
    assert sample_noise(generator, ["a"], (4, 4), seed=1) is None


def test_painting_is_in_evaluation_mode_and_restores_the_mode(tiny_spec: Callable[..., Any]) -> None:
    generator = noisy().train()
    paint(tiny_spec, generator)
    assert generator.training


def test_images_are_composited_and_violations_counted(tiny_spec: Callable[..., Any]) -> None:
    painted = paint(tiny_spec, noisy())
    assert painted.images.shape == (3, 32, 32, 3)
    assert painted.images.dtype == np.uint8
    for index in range(3):
        region = painted.painted[index]
        assert region.any()
        assert np.array_equal(painted.images[index][~region], painted.bases[index][~region])
        assert (painted.images[index][region] != painted.bases[index][region]).any()
        assert painted.violations(index) == 0
        within = np.where(region[..., None], np.uint8(255), np.uint8(0))
        assert replace(painted, images=painted.images ^ within).violations(index) == 0
        spoiled = replace(painted, images=painted.images ^ np.uint8(1))
        assert spoiled.violations(index) == np.count_nonzero(~region)


def test_in_training_the_network_is_given_the_target_and_its_own_inputs() -> None:
    given: list[tuple[Tensor, Tensor | None, Tensor | None]] = []

    class Recording(nn.Module):
        def forward(self, condition: Tensor, noise: Tensor | None, target: Tensor | None) -> Tensor:
            given.append((condition, noise, target))
            return torch.zeros(2, 3, 24, 20)

    batch = example_batch(2, (24, 20))
    names = ("segmentation_skin", "apparel_head_foot")
    noise = torch.rand(2, 3)
    painting = BatchInpainter(names, "mask")(Recording(), batch, noise, batch["body"])
    ((condition, given_noise, target),) = given
    assert target is batch["body"] and given_noise is noise
    assert torch.equal(condition, batch.condition(names))
    # black in the hole, the input elsewhere
    hole = batch["mask"] > 0.5
    assert hole.any() and torch.equal(painting.painted, batch["mask"])
    assert torch.equal(painting.output, torch.where(hole, 0, batch["apparel_head_foot"]))


def test_without_a_composite_everything_is_painted(tiny_spec: Callable[..., Any]) -> None:
    painted = paint(tiny_spec, noisy(), composite="none")
    assert painted.painted.all()


class Layers(nn.Module):
    """Returns the same image for every sample."""

    def __init__(self, *channels: float) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, condition: Tensor, noise: Tensor | None, target: Tensor | None) -> Tensor:
        layers = torch.tensor(self.channels)[None, :, None, None]
        return layers.expand(len(condition), -1, *condition.shape[-2:])


def test_with_alpha_colors_lie_over_the_background() -> None:
    batch = example_batch(2, (24, 20))
    hole, skin = batch["mask"] > 0.5, batch["segmentation_skin"] > 0.5
    assert hole.any() and (hole & skin).any()
    network = Layers(0.0, 0.5, 1.0, 0.25)
    inpainter = BatchInpainter(("apparel_head_foot",), "mask")
    painting = inpainter(network, batch, target=batch["body"])
    assert painting.alpha is not None
    assert torch.equal(painting.alpha, 0.25 * batch["mask"])
    color = torch.tensor([0.0, 0.5, 1.0])[None, :, None, None]
    behind = torch.where(skin, 1, batch["body"])
    expected = torch.where(hole, 0.25 * color + 0.75 * behind, batch["apparel_head_foot"])
    assert torch.allclose(painting.output, expected, atol=1e-6)


def test_without_the_target_the_background_comes_from_around_the_mask() -> None:
    batch = example_batch(2, (24, 20))
    other = batch.updated({"body": torch.zeros_like(batch["body"])})
    inpainter = BatchInpainter(("apparel_head_foot",), "mask")
    one, same = (inpainter(Layers(0.0, 0.5, 1.0, 0.0), each).output for each in (batch, other))
    assert torch.equal(one, same)
    kept = batch["keep"] > 0.5
    assert torch.equal(one[kept.expand_as(one)], batch["apparel_head_foot"][kept.expand_as(one)])
    solid = inpainter(Layers(0.0, 0.5, 1.0, 1.0), batch).output
    hole = (batch["mask"] > 0.5)[:, 0]
    assert torch.allclose(solid.permute(0, 2, 3, 1)[hole], torch.tensor([0.0, 0.5, 1.0]), atol=1e-6)
