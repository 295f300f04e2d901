"""Checks that everything to be saved by training is finite."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch
from torch import Tensor

from skinfw.errors import TrainingError


def not_finite(tensors: Mapping[str, Tensor]) -> list[str]:
    """Return the names of the tensors that contain NaN or infinity, synchronizing each device once."""
    by_device: dict[torch.device, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if tensor.is_floating_point() or tensor.is_complex():
            by_device.setdefault(tensor.device, {})[name] = tensor.detach()
    found = []
    for group in by_device.values():
        flags = torch.stack([tensor.isfinite().all() for tensor in group.values()]).tolist()
        found += [name for name, finite in zip(group, flags, strict=True) if not finite]
    return found


def check_finite(tensors: Mapping[str, Tensor], step: int, saved: str, *, free: Collection[str] = ()) -> None:
    """Raise an error if something to be saved is not finite.

    Args:
        tensors: weights, buffers and the optimizers' state, by name.
        step: the step that produced them.
        saved: the existing checkpoints, for the error.
        free: names of tensors that may contain infinity, because they did before training.

    Raises:
        TrainingError: a tensor contains NaN or infinity; the message names it.
    """
    bad = [name for name in not_finite(tensors) if name not in free]
    if bad:
        more = f" and {len(bad) - 1} more tensors are" if len(bad) > 1 else " is"
        raise diverged(f"after step {step} {bad[0]}{more} not finite (NaN or infinity)", saved)


def diverged(what: str, saved: str) -> TrainingError:
    """Return the error for diverged training.

    Args:
        what: the step and what is not finite.
        saved: the existing checkpoints.
    """
    return TrainingError(
        f"{what}; training has diverged. {saved} Lower the learning rates "
        "or set training.gradient_clip, then start again with --overwrite"
    )
