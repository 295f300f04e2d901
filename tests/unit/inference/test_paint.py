from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from skinfw.assembly.assemble import build_dataset
from skinfw.components.config import GeneratorConfig, Size
from skinfw.data.loading import Loader
from skinfw.inference.paint import PaintedBatch, paint_batches, sample_noise
from skinfw.interfaces import Generator, GeneratorIO
from skinfw.specs.spec import parse_spec


class Noisy(Generator[GeneratorConfig]):
    """Paints its noise, and records the mode it was in."""

    def noise_shape(self, size: Size) -> tuple[int, ...]:
        return (3, 4, 4)

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        assert noise is not None
        assert not self.training
        assert not torch.is_grad_enabled()
        return torch.nn.functional.interpolate(noise.sigmoid(), condition.shape[-2:])


def noisy() -> Noisy:
    return Noisy(GeneratorConfig(), GeneratorIO((32, 32), ("apparel_head_foot",)))


def paint(make: Callable[..., Any], generator: Generator[Any], **fields: Any) -> PaintedBatch:
    spec = parse_spec(make(**fields))
    data = build_dataset(spec)
    loader = Loader(data, data.names()[:3], batch_size=3)
    (painted,) = paint_batches(generator, spec, loader, torch.device("cpu"))
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


def test_pictures_are_composited_and_violations_counted(tiny_spec: Callable[..., Any]) -> None:
    painted = paint(tiny_spec, noisy())
    assert painted.pictures.shape == (3, 32, 32, 3)
    assert painted.pictures.dtype == np.uint8
    for index in range(3):
        region = painted.painted[index]
        assert region.any()
        assert np.array_equal(painted.pictures[index][~region], painted.bases[index][~region])
        assert (painted.pictures[index][region] != painted.bases[index][region]).any()
        assert painted.violations(index) == 0
        spoiled = painted.pictures[index].copy()
        spoiled[region] ^= 255
        assert painted.violations(index, spoiled) == 0
        spoiled[~region] ^= 1
        assert painted.violations(index, spoiled) == np.count_nonzero(~region)


def test_without_a_composite_everything_is_painted(tiny_spec: Callable[..., Any]) -> None:
    painted = paint(tiny_spec, noisy(), composite="none")
    assert painted.painted.all()
