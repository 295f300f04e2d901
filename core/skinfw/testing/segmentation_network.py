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
    """Check a segmentation network against its interface, on the CPU and random images.

    Checked are shape and type of the logits in training and in use, the smallest accepted size, determinism,
    that an image does not depend on the others of its batch, the state dict, gradients, channels-last
    tensors and autocast to half precision.

    Args:
        component: the class.
        config: its configuration; small networks make a quick check.
        size: height and width in pixels, two different ones that the configuration accepts.

    Raises:
        AssertionError: something of the contract does not hold; the text says what.
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
        what = f"the logits for {size[0]}x{size[1]} pixels {'in training' if training else 'in use'}"
        shape = (2, CLASSES, *size)
        require(tuple(logits.shape) == shape, f"{what} have the shape {tuple(logits.shape)}, not {shape}")
        require(logits.dtype == torch.float32, f"{what} are {logits.dtype}, not float32")
        require_finite(logits, what)
    require(torch.equal(image, before), "forward changes the image it is given")


@torch.no_grad()
def _check_use(network: SegmentationNetwork[Any], size: Size) -> None:
    images = example_image(2, size)
    one, other = (_logits(network, images) for _ in range(2))
    require(torch.equal(one, other), "in use, the same image gives two different results")
    alone = _logits(network, images[:1])
    require_close(alone, one[:1], TOLERANCE, "in use, an image depends on the others of its batch")
    changed = _logits(network, example_image(2, size, seed=100))
    require(not torch.equal(one, changed), "another image gives the same logits")
