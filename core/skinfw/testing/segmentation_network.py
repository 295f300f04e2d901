"""The contract of segmentation networks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from skinfw.components.config import SegmentationNetworkConfig, Size
from skinfw.interfaces import SegmentationNetwork, SegmentationNetworkIO
from skinfw.testing._networks import (
    TOLERANCE,
    accepting,
    check_gradients,
    check_layouts,
    check_reload,
    check_requirement,
    check_same_seed,
    seeded,
    smallest_size,
)
from skinfw.testing._require import require, require_close, require_finite
from skinfw.testing.examples import example_image

CLASSES = 5


def check_segmentation_network(
    component: type[SegmentationNetwork[Any]], config: SegmentationNetworkConfig, size: Size = (64, 96)
) -> None:
    """Check a segmentation network against its interface, on the CPU with random images.

    It checks shape and type of the logits in training and evaluation mode, the smallest accepted size,
    determinism, that an image does not depend on the rest of its batch, the state dict, gradients,
    channels-last tensors and half-precision autocast.

    Args:
        component: the class.
        config: its configuration; small networks make a quick check.
        size: height and width in pixels, two different ones that the configuration accepts.

    Raises:
        AssertionError: the contract is violated; the message says how.
    """
    requirement = config.size_requirement(size)
    check_requirement(requirement, size)

    def build() -> SegmentationNetwork[Any]:
        return component(config, SegmentationNetworkIO(size, CLASSES))

    def run_in_layout(layout: torch.memory_format) -> Tensor:
        network = seeded(build, 0).eval().to(memory_format=layout)
        output: Tensor = network(example_image(2, size).to(memory_format=layout))
        return output

    for accepted in (size, smallest_size(requirement)):
        with accepting(accepted):
            _check_outputs(seeded(build, 0), accepted)
    _check_use(seeded(build, 0).eval(), size)
    check_same_seed(build)
    check_reload(build, lambda network: _logits(network, example_image(2, size)))
    for half in check_layouts(run_in_layout):
        require(half.shape == (2, CLASSES, *size), "the logits under autocast have another shape")
    network = seeded(build, 0).train()
    labels = torch.zeros(2, *size, dtype=torch.long)
    check_gradients(network, cross_entropy(network(example_image(2, size)), labels))


def _logits(network: nn.Module, image: Tensor) -> Tensor:
    output: Tensor = network(image)
    return output


def _check_outputs(network: SegmentationNetwork[Any], size: Size) -> None:
    image = example_image(2, size)
    before = image.clone()
    for training in (True, False):
        with torch.no_grad():
            logits = _logits(network.train(training), image)
        what = f"the logits for {size[0]}x{size[1]} pixels in {'training' if training else 'evaluation'} mode"
        shape = (2, CLASSES, *size)
        require(tuple(logits.shape) == shape, f"{what} have the shape {tuple(logits.shape)}, not {shape}")
        require(logits.dtype == torch.float32, f"{what} are {logits.dtype}, not float32")
        require_finite(logits, what)
    require(torch.equal(image, before), "forward changes the image it is given")


@torch.no_grad()
def _check_use(network: SegmentationNetwork[Any], size: Size) -> None:
    images = example_image(2, size)
    one, other = (_logits(network, images) for _ in range(2))
    require(torch.equal(one, other), "in evaluation mode, the same image gives two different results")
    alone = _logits(network, images[:1])
    require_close(alone, one[:1], TOLERANCE, "in evaluation mode, an image depends on the rest of its batch")
    changed = _logits(network, example_image(2, size, seed=100))
    require(not torch.equal(one, changed), "another image gives the same logits")
