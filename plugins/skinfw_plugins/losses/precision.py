"""Losses that need more than half precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, TypeVar

import torch
from torch import Tensor

from skinfw.interfaces import Loss, LossContext

LossT = TypeVar("LossT", bound=Loss[Any])


def in_float32(term: Callable[[LossT, LossContext], Tensor]) -> Callable[[LossT, LossContext], Tensor]:
    """Compute a loss in float32, whatever the precision of its caller and of the images."""

    @wraps(term)
    def exact(loss: LossT, context: LossContext) -> Tensor:
        with torch.autocast(context.output.device.type, enabled=False):
            return term(loss, replace(context, output=context.output.float(), target=context.target.float()))

    return exact
