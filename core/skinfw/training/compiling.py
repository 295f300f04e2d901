"""Networks compiled by torch, and its errors in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch
from torch import nn

from skinfw.errors import RunError, first_line


def compiled(network: nn.Module, device: torch.device) -> nn.Module:
    """Return a module that computes what the network does, compiled at its first call.

    It shares all weights with the network, which itself stays uncompiled.

    Raises:
        RunError: torch cannot compile on this machine.
    """
    _require_compiler(device.type)
    return torch.compile(network)  # type: ignore[return-value]


@cache
def _require_compiler(device: str) -> None:
    """Compile a formula, which needs all that a network needs: a C++ compiler, and Triton on a GPU."""
    try:
        torch.compile(lambda values: values * 2 + 1)(torch.ones(8, device=device))
    except Exception as error:  # whatever its many parts raise
        raise RunError(
            f"training.compile: torch cannot compile for {device} on this machine ({first_line(error)}); "
            "install a C++ compiler (on Debian: g++) and, for a GPU, Triton, or set it to false"
        ) from error


@contextmanager
def compile_errors() -> Iterator[None]:
    """Report in one sentence that a network cannot be compiled.

    Raises:
        RunError: the compiler failed in the with block.
    """
    from torch._dynamo.exc import TorchDynamoException  # takes seconds to import

    try:
        yield
    except TorchDynamoException as error:
        raise RunError(
            f"training.compile: torch cannot compile a network of this spec ({first_line(error)}); set it to "
            "false"
        ) from error
