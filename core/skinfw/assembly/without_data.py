"""Building networks without data: their tensors have names, shapes and types alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import init
from torch.overrides import TorchFunctionMode


@contextmanager
def without_data() -> Iterator[None]:
    """Build networks on torch's device ``meta``: they take neither memory nor time.

    Their random initialization is skipped. It has no effect there, but torch would import its compiler for
    it, which takes seconds.

    Example:
        >>> with without_data():
        ...     layer = torch.nn.Linear(100_000, 100_000)
        >>> layer.weight.shape, layer.weight.is_meta
        (torch.Size([100000, 100000]), True)
    """
    with torch.device("meta"), _WithoutValues():
        yield


class _WithoutValues(TorchFunctionMode):
    """Skips the initialization of tensors without data."""

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        tensor = args[0] if args else (kwargs or {}).get("tensor")
        fills = func in (Tensor.normal_, Tensor.uniform_) or getattr(func, "__module__", "") == init.__name__
        if fills and isinstance(tensor, Tensor) and tensor.is_meta:
            return tensor
        return func(*args, **(kwargs or {}))
