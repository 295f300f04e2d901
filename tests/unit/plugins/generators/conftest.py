"""Receptive fields, as gradients and as the layers' arithmetic have them, and where dropout stands."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import nn

from skinfw_plugins.generators.conditional import Guide

Span = tuple[int, int]
Layer = tuple[Any, ...]


@pytest.fixture
def footprint() -> Callable[..., tuple[Span, Span]]:
    """Return the first and last row and column of the condition that one output pixel depends on.

    All weights become positive, so that no path cancels another and no ReLU shuts one.
    """

    def find(network: nn.Module, size: tuple[int, int], pixel: tuple[int, int], channels: int = 6) -> Any:
        network = network.double().eval()
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                incoming = parameter[0].numel() if parameter.dim() > 1 else 1
                parameter.fill_(1 / incoming if name.endswith("weight") else 0.0)
        condition = torch.ones(1, channels, *size, dtype=torch.float64, requires_grad=True)
        network(condition)[0, :, pixel[0], pixel[1]].sum().backward()
        assert condition.grad is not None
        seen = condition.grad[0].abs().amax(dim=0) > 0
        rows, columns = seen.any(dim=1).nonzero()[:, 0], seen.any(dim=0).nonzero()[:, 0]
        return tuple((int(found.min()), int(found.max())) for found in (rows, columns))

    return find


@pytest.fixture
def traced() -> Callable[..., Span]:
    """Return the first and last pixel of a line that an output pixel depends on, layer by layer.

    Layers in their order: ("conv", kernel, stride, dilation), ("transposed",) for a kernel of 3 with stride
    2, ("nearest",) for a doubling by repetition.
    """

    def trace(layers: Sequence[Layer], pixel: int) -> Span:
        first = last = pixel
        for layer in reversed(layers):
            if layer[0] == "conv":
                _, kernel, stride, dilation = layer
                reach = dilation * (kernel // 2)
                first, last = first * stride - reach, last * stride + reach
            elif layer[0] == "transposed":
                # pixel i of the input reaches 2i - 1, 2i and 2i + 1
                first, last = math.ceil((first - 1) / 2), (last + 1) // 2
            else:
                first, last = first // 2, last // 2
        return first, last

    return trace


@pytest.fixture
def dropped(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Record the shapes of one sample's features, ``(C, h, w)``, wherever a network applies dropout."""
    shapes: list[tuple[int, ...]] = []

    def record(_: Guide, features: torch.Tensor) -> torch.Tensor:
        shapes.append(tuple(features.shape[1:]))
        return features

    monkeypatch.setattr(Guide, "drop", record)
    return shapes
