"""Losses in which half precision would lose too much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, TypeVar

import torch
from torch import Tensor

from skinfw.interfaces import Loss, Step

LossT = TypeVar("LossT", bound=Loss[Any])


def in_float32(term: Callable[[LossT, Step], Tensor]) -> Callable[[LossT, Step], Tensor]:
    """Make a loss's term compute in float32, whatever the precision of its caller and of the pictures."""

    @wraps(term)
    def exact(loss: LossT, step: Step) -> Tensor:
        with torch.autocast(step.output.device.type, enabled=False):
            return term(loss, replace(step, output=step.output.float(), target=step.target.float()))

    return exact
