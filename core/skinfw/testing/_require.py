"""How checks fail."""

from __future__ import annotations

import torch
from torch import Tensor


def require(condition: bool, message: str) -> None:
    """Fail with a message unless the condition holds; unlike ``assert``, also under ``python -O``.

    Raises:
        AssertionError: the condition is false.
    """
    if not condition:
        raise AssertionError(message)


def require_finite(tensor: Tensor, what: str) -> None:
    """Require that a tensor has neither NaN nor infinity."""
    require(bool(torch.isfinite(tensor).all()), f"{what} is not finite")


def require_close(one: Tensor, other: Tensor, tolerance: float, what: str) -> None:
    """Require that two tensors have the same shape and differ by at most ``tolerance``."""
    require(one.shape == other.shape, f"{what}: shapes differ: {tuple(one.shape)} and {tuple(other.shape)}")
    difference = float((one - other).detach().abs().max()) if one.numel() else 0.0
    require(difference <= tolerance, f"{what}: values differ by up to {difference:.3g}")
