"""Counting the parameters of networks."""

from __future__ import annotations

from torch import nn


def parameters(*modules: nn.Module) -> int:
    """Count the numbers that networks learn."""
    return sum(parameter.numel() for module in modules for parameter in module.parameters())
