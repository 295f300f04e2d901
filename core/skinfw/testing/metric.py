"""The contract of metrics."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from skinfw.components.config import MetricConfig, Size
from skinfw.components.direction import BETTER, is_better
from skinfw.components.measured_region import WHOLE, Region
from skinfw.interfaces import Metric, MetricIO
from skinfw.testing._require import require
from skinfw.testing.examples import example_image, example_region


def check_metric(
    component: type[Metric[Any]], config: MetricConfig, size: Size = (64, 96), images: int = 4
) -> None:
    """Check a metric against its interface, on each region that its configuration names.

    It checks that the better of two sets of images (of alphas, if it ``measures_alpha``) has the better
    value, that the result does not depend on the batches, nor on whether several processes measure parts of
    them, and that values per image have the right shape and are NaN if the region is empty.

    Args:
        component: the class.
        config: its configuration.
        size: height and width in pixels.
        images: number of images in a set; metrics over distributions need more.

    Raises:
        AssertionError: the contract is violated; the message says how.
    """
    require(component.direction in BETTER, f"direction is {component.direction!r}")
    for region in config.regions:
        target, other = (_example(images, size, seed, config.measures_alpha) for seed in (0, 1))
        _check_region(partial(component, config, MetricIO(region)), region, target, other)


def _example(images: int, size: Size, seed: int, alpha: bool) -> Tensor:
    return example_region(images, size, seed) if alpha else example_image(images, size, seed)


def _check_region(build: Callable[[], Metric[Any]], region: Region, target: Tensor, other: Tensor) -> None:
    what = f"on the region {region}"
    images = len(target)
    mask = None if region == WHOLE else example_region(images, (target.shape[2], target.shape[3]), seed=2)
    noise = other - target
    require(math.isnan(build().compute()), f"compute before any update is not NaN {what}")
    slight, strong = (
        _measure(build(), (target + fraction * noise).requires_grad_(), target, mask)
        for fraction in (0.1, 0.8)
    )
    require(math.isfinite(slight) and math.isfinite(strong), f"the value is {slight} or {strong} {what}")
    direction = build().direction
    better = is_better(slight, strong, direction)
    require(better, f"{BETTER[direction]}, but slight noise gives {slight}, strong {strong} {what}")
    metric = build()
    for index in range(images):
        chosen = slice(index, index + 1)
        metric.update((target + 0.8 * noise)[chosen], target[chosen], None if mask is None else mask[chosen])
    alone = metric.compute()
    require(
        math.isclose(alone, strong, rel_tol=1e-3, abs_tol=1e-6),
        f"the value is {strong} for one batch and {alone} for single images {what}",
    )
    if metric.can_be_added:
        parts = [build() for _ in range(2)]
        for part, chosen in zip(parts, (slice(0, 1), slice(1, None)), strict=True):
            part.update(
                (target + 0.8 * noise)[chosen], target[chosen], None if mask is None else mask[chosen]
            )
        parts[0].add(pickle.loads(pickle.dumps(parts[1].added())))
        added = parts[0].compute()
        require(
            math.isclose(added, strong, rel_tol=1e-3, abs_tol=1e-6),
            f"the value is {strong} for one batch and {added} for two parts that are added {what}",
        )
    if mask is not None:
        _check_empty(build(), target, mask)


def _measure(metric: Metric[Any], output: Tensor, target: Tensor, mask: Tensor | None) -> float:
    values = metric.update(output, target, mask)
    if values is not None:
        require(
            tuple(values.shape) == (len(target),),
            f"update returns the shape {tuple(values.shape)}, not one value for each of {len(target)}",
        )
        require(not values.requires_grad, "values carry a gradient, which keeps all images in memory")
        require(not bool(torch.isnan(values).any()), "an image with a non-empty region has the value NaN")
    value = metric.compute()
    require(isinstance(value, float), f"compute returns {type(value).__name__}, not float")
    return value


def _check_empty(metric: Metric[Any], target: Tensor, mask: Tensor) -> None:
    none = mask.clone()
    none[0] = 0
    values = metric.update(target, target, none)
    if values is not None:
        unknown = torch.isnan(values).tolist()
        require(
            unknown[0] and not any(unknown[1:]), f"only images with an empty region must be NaN: {values}"
        )
