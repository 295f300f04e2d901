"""Model configurations of transformers that refer to code on a hub."""

from __future__ import annotations

from typing import Any

from skinfw.errors import UserError

FIELDS = ("attn_implementation", "experts_implementation")
"""Fields of a ``config.json`` that may name an implementation to download."""

BUILT_IN = (None, "eager", "sdpa")
"""Implementations that need no download; None leaves the choice to transformers."""


def reject_kernel(name: str, value: Any, model: str) -> None:
    """Reject an implementation outside PyTorch and transformers.

    Args:
        name: the field of the ``config.json``.
        value: its value.
        model: the model's name or file, for errors.

    Raises:
        UserError: it is such an implementation.
    """
    if value not in BUILT_IN:
        raise UserError(
            f"{model}: its config.json sets {name} to {value!r}, for which transformers may run code from "
            "the hub; nothing was loaded. Set it to eager or sdpa, or remove it"
        )


def reject_kernels_in(value: Any, model: str) -> None:
    """Reject the parsed JSON of a ``config.json`` that names such an implementation anywhere.

    Raises:
        UserError: it does.
    """
    if isinstance(value, dict):
        for key, part in value.items():
            if (name := key.strip("_").removesuffix("_internal")) in FIELDS:
                reject_kernel(name, part, model)
            reject_kernels_in(part, model)
    elif isinstance(value, list):
        for part in value:
            reject_kernels_in(part, model)
