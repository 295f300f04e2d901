"""The memory format that networks are trained in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from skinfw.assembly.assemble import build_generator
from skinfw.specs.spec import parse_spec
from skinfw.tasks.inpainting.networks import Networks
from skinfw.training.accelerator import make_accelerator
from skinfw.training.optimized import training_layout


def test_only_transposed_convolutions_on_a_cpu_are_not_in_channels_last() -> None:
    plain, transposed = nn.Conv2d(3, 4, 4), nn.Sequential(nn.Conv2d(3, 4, 4), nn.ConvTranspose2d(4, 3, 4))
    cpu, card = torch.device("cpu"), torch.device("cuda")
    assert training_layout(transposed, cpu) == torch.contiguous_format
    assert training_layout(transposed, card) == torch.channels_last
    assert {training_layout(plain, cpu), training_layout(plain, card)} == {torch.channels_last}


def test_mixed_precision_ends_with_training(tiny_spec: Callable[..., dict[str, Any]]) -> None:
    """Evaluations measure what users get."""
    made = tiny_spec(losses=["l1"], discriminator=None)
    made["training"] |= {"precision": "bf16"}
    spec = parse_spec(made)
    networks = Networks(spec, make_accelerator(spec.training))
    generator = networks.generator.eval()
    condition = torch.rand(2, generator.io.condition_channels, *spec.data.size)
    plain = build_generator(spec).eval()
    plain.load_state_dict(generator.state_dict())
    with torch.no_grad():
        with networks.in_float32() as network:
            found = network(condition)
        mixed, expected = generator(condition), plain(condition)
    assert network is generator and torch.equal(found, expected)
    assert not torch.equal(mixed, expected)
    torch.testing.assert_close(mixed, expected, atol=0.1, rtol=0)


def test_each_network_has_its_own_memory_format(tiny_spec: Callable[..., dict[str, Any]]) -> None:
    spec = parse_spec(tiny_spec())
    networks = Networks(spec, make_accelerator(spec.training))
    generator, discriminator = (
        [tensor for tensor in part.network.parameters() if tensor.ndim == 4 and min(tensor.shape[1:]) > 1]
        for part in networks.parts
    )
    assert all(weight.is_contiguous() for weight in generator)
    assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in discriminator)
    assert len(generator) > 4
    assert len(discriminator) > 2
