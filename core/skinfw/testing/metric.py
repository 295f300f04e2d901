"""The contract of metrics."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from skinfw.components.config import MetricConfig, Region, Size
from skinfw.interfaces import Metric, MetricIO
from skinfw.testing._require import require
from skinfw.testing.examples import example_picture, example_region


def check_metric(
    component: type[Metric[Any]], config: MetricConfig, size: Size = (64, 96), pictures: int = 4
) -> None:
    """Check a metric against its interface, on each region that its configuration names.

    Checked are that the better of two sets of pictures gets the better value, that the way pictures are
    grouped into batches does not count, that values per picture have the right shape and are NaN without
    skin, and that ``reset`` forgets.

    Args:
        component: the class.
        config: its configuration.
        size: height and width in pixels.
        pictures: how many pictures make up a set; metrics over distributions need more.

    Raises:
        AssertionError: something of the contract does not hold; the text says what.
    """
    require(component.direction in ("higher", "lower"), f"direction is {component.direction!r}")
    for region in config.regions:
        _check_region(component(config, MetricIO(region)), region, size, pictures)


def _check_region(metric: Metric[Any], region: Region, size: Size, pictures: int) -> None:
    what = f"on the {region}"
    target = example_picture(pictures, size)
    skin = example_region(pictures, size)
    noise = example_picture(pictures, size, seed=1) - target
    require(math.isnan(metric.compute()), f"compute before any update is not NaN {what}")
    slight, strong = (
        _measure(metric, (target + share * noise).requires_grad_(), target, skin) for share in (0.1, 0.8)
    )
    require(math.isfinite(slight) and math.isfinite(strong), f"the value is {slight} or {strong} {what}")
    better = slight > strong if metric.direction == "higher" else slight < strong
    require(better, f"{metric.direction} is better, but slight noise gives {slight}, strong {strong} {what}")
    metric.reset()
    for index in range(pictures):
        chosen = slice(index, index + 1)
        metric.update((target + 0.8 * noise)[chosen], target[chosen], skin[chosen])
    alone = metric.compute()
    require(
        math.isclose(alone, strong, rel_tol=1e-3, abs_tol=1e-6),
        f"the value is {strong} for one batch and {alone} picture by picture {what}",
    )
    if region == "skin":
        _check_without_skin(metric, target, skin)
    metric.reset()
    require(math.isnan(metric.compute()), f"compute after reset is not NaN {what}")


def _measure(metric: Metric[Any], output: Tensor, target: Tensor, skin: Tensor) -> float:
    metric.reset()
    values = metric.update(output, target, skin)
    if values is not None:
        require(
            tuple(values.shape) == (len(target),),
            f"update returns the shape {tuple(values.shape)}, not one value for each of {len(target)}",
        )
        require(not values.requires_grad, "values carry a gradient, which keeps all pictures in memory")
        require(not bool(torch.isnan(values).any()), "a picture with skin has the value NaN")
    value = metric.compute()
    require(isinstance(value, float), f"compute returns {type(value).__name__}, not float")
    return value


def _check_without_skin(metric: Metric[Any], target: Tensor, skin: Tensor) -> None:
    metric.reset()
    none = skin.clone()
    none[0] = 0
    values = metric.update(target, target, none)
    if values is not None:
        unknown = torch.isnan(values).tolist()
        require(unknown[0] and not any(unknown[1:]), f"only a picture without skin must be NaN: {values}")
