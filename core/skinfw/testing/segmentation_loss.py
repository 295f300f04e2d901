"""The contract of segmentation losses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from skinfw.components.config import SegmentationLossConfig, Size
from skinfw.data.classes import UNKNOWN
from skinfw.interfaces import SegmentationLoss, SegmentationLossIO
from skinfw.testing._require import require, require_close, require_finite

CLASSES = ("background", "skin", "head", "feet", "apparel")
_TOLERANCE = 1e-5
_CONFIDENT = 20.0


def check_segmentation_loss(
    component: type[SegmentationLoss[Any]], config: SegmentationLossConfig, size: Size = (6, 5)
) -> None:
    """Check a segmentation loss against its interface, on the CPU with random logits.

    It checks shape and type of the sums, that the sums of two batches add up to those of both together, that
    the value is a finite scalar with a gradient, that pixels of unknown class do not count, that right logits
    have a lower value than wrong ones, and labels without any known pixel.

    Args:
        component: the class.
        config: its configuration; classes that it names must be among the five regions.
        size: height and width in pixels.

    Raises:
        AssertionError: the contract is violated; the message says how.
    """
    loss = component(config, SegmentationLossIO(CLASSES))
    logits, labels = _example(size)
    sums = loss.sums(logits, labels)
    require(sums.dtype == torch.float32, f"the sums are {sums.dtype}, not float32")
    parts = [loss.sums(logits[place : place + 1], labels[place : place + 1]) for place in range(2)]
    shapes = {tuple(each.shape) for each in (sums, *parts)}
    require(len(shapes) == 1, f"the sums have different shapes for different batches: {sorted(shapes)}")
    require_close(parts[0] + parts[1], sums, _TOLERANCE, "the sums of two batches are not those of both")
    _check_value(loss, logits, labels)
    _check_unknown(loss, logits, labels)


def _example(size: Size) -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(0)
    logits = torch.randn(2, len(CLASSES), *size, generator=source)
    labels = torch.randint(len(CLASSES), (2, *size), generator=source)
    labels[0, 0] = UNKNOWN
    return logits, labels


def _value(loss: SegmentationLoss[Any], logits: Tensor, labels: Tensor) -> Tensor:
    return loss.value(loss.sums(logits, labels))


def _check_value(loss: SegmentationLoss[Any], logits: Tensor, labels: Tensor) -> None:
    logits = logits.clone().requires_grad_()
    value = _value(loss, logits, labels)
    require(value.shape == (), f"the value has the shape {tuple(value.shape)}; it must be a scalar")
    require_finite(value, "the value")
    (gradient,) = torch.autograd.grad(value, logits)
    require_finite(gradient, "the gradient")
    require(bool(gradient.any()), "the gradient of the logits is 0")
    known = labels.where(labels != UNKNOWN, 0)
    right = torch.nn.functional.one_hot(known, len(CLASSES)).permute(0, 3, 1, 2) * _CONFIDENT
    wrong = right.roll(1, dims=1)
    better = _value(loss, right, labels) < _value(loss, wrong, labels)
    require(bool(better), "logits of the right class do not have a lower value than those of a wrong one")


def _check_unknown(loss: SegmentationLoss[Any], logits: Tensor, labels: Tensor) -> None:
    changed = logits.clone()
    changed[0, :, 0] += torch.arange(float(len(CLASSES)))[:, None]
    one, other = _value(loss, logits, labels), _value(loss, changed, labels)
    require_close(one, other, _TOLERANCE, "pixels of unknown class change the value")
    require_finite(_value(loss, logits, torch.full_like(labels, UNKNOWN)), "the value without known pixels")
