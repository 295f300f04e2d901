"""The contract of discriminators."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from skinfw.components.config import DiscriminatorConfig, Size
from skinfw.interfaces import Discriminator, DiscriminatorIO, DiscriminatorOutput
from skinfw.testing._networks import (
    accepting,
    check_gradients,
    check_layouts,
    check_reload,
    check_requirement,
    check_same_seed,
    seeded,
    smallest_size,
)
from skinfw.testing._require import require, require_finite
from skinfw.testing.examples import example_image

_CONDITION_CHANNELS = 6


def check_discriminator(
    component: type[Discriminator[Any]], config: DiscriminatorConfig, size: Size = (96, 128)
) -> None:
    """Check a discriminator against its interface, on the CPU with random images.

    It checks shape and type of logits and features in training and evaluation mode, batches of one and two,
    the smallest accepted size, determinism, the state dict, gradients to its parameters and to the image,
    channels-last tensors, half-precision autocast, and that the condition matters if ``config.conditional``
    says so. `check_receptive_field` checks the receptive field.

    Args:
        component: the class.
        config: its configuration; small networks make a quick check.
        size: height and width in pixels, two different ones that the configuration accepts.

    Raises:
        AssertionError: the contract is violated; the message says how.
    """
    requirement = config.size_requirement(size)
    check_requirement(requirement, size)
    probe = _Probe(component, config, size)
    for accepted in (size, smallest_size(requirement)):
        with accepting(accepted):
            probe.check_logits(accepted)
    probe.check_condition()
    check_same_seed(probe.build)
    check_reload(probe.build, lambda network: probe.run(network, size))
    check_layouts(probe.run_in_layout)
    network = seeded(probe.build, 0).train()
    image = example_image(2, size).requires_grad_()
    check_gradients(network, _all_logits(network(image, probe.condition(2, size))).square().mean())
    require(image.grad is not None, "no gradient reaches the image, so no generator can learn from it")


def check_receptive_field(
    component: type[Discriminator[Any]], config: DiscriminatorConfig, size: Size = (64, 64)
) -> None:
    """Check by its gradient that one logit depends on a square of the declared side.

    The network is built for one size and run on a larger image, whose edges cut no patch, in evaluation mode
    and in float64. Normalization by statistics of the image spreads the footprint over all of it; check such
    a network without its normalization.

    Args:
        component: the class.
        config: its configuration; few channels make a quick check.
        size: height and width in pixels that the network is built for.

    Raises:
        AssertionError: the declared side differs from the footprint's.
    """
    network = seeded(lambda: component(config, DiscriminatorIO(size, 0)), 0).double().eval()
    declared = network.receptive_field
    # room for a patch in the middle that no edge cuts, at a multiple of any stride up to 64
    side = (2 * declared // 64 + 2) * 64
    image = example_image(1, (side, side)).double().requires_grad_()
    logits = network(image, None).logits[0]
    torch.autograd.backward(logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2])
    require(image.grad is not None, "no gradient reaches the image")
    touched = torch.as_tensor(image.grad).abs().sum(dim=(0, 1)) > 0
    for name, dim in (("height", 1), ("width", 0)):
        places = torch.nonzero(touched.any(dim=dim)).flatten()
        found = int(places[-1] - places[0]) + 1
        require(
            found == declared,
            f"receptive_field is {declared}, but the {name} of the gradient's footprint is {found} pixels",
        )


def _check_type(outputs: object) -> None:
    found = type(outputs).__name__
    require(isinstance(outputs, DiscriminatorOutput), f"forward returns {found}, not a DiscriminatorOutput")


def _all_logits(outputs: DiscriminatorOutput) -> Tensor:
    """Return the logits of all scales side by side, ``(B, n)``."""
    require(
        isinstance(outputs, DiscriminatorOutput),
        f"forward returns {type(outputs).__name__}, not a DiscriminatorOutput",
    )
    return torch.cat([logits.flatten(1) for logits in outputs.logits], dim=1)


def _check_outputs(outputs: DiscriminatorOutput, batch: int, what: str) -> None:
    require(
        isinstance(outputs, DiscriminatorOutput),
        f"forward returns {type(outputs).__name__}, not a DiscriminatorOutput",
    )
    require(len(outputs.logits) > 0, f"{what} are missing")
    require(
        len(outputs.features) in (0, len(outputs.logits)),
        f"features of {len(outputs.features)} scales for {len(outputs.logits)} logits; return all or none",
    )
    for features in outputs.features:
        require(len(features) > 0, "a scale has no features; return those of all scales or of none")
        for feature in features:
            require(
                feature.ndim == 4 and len(feature) == batch,
                f"features have the shape {tuple(feature.shape)}, not ({batch}, C, h, w)",
            )
            require_finite(feature, "a feature")
    for logits in outputs.logits:
        require(
            logits.ndim == 4 and logits.shape[:2] == (batch, 1) and logits.numel() > 0,
            f"{what} have the shape {tuple(logits.shape)}, not ({batch}, 1, h, w)",
        )
        require(logits.dtype == torch.float32, f"{what} are {logits.dtype}, not float32")
        require_finite(logits, what)


class _Probe:
    """A discriminator under test with its inputs."""

    def __init__(self, component: type[Discriminator[Any]], config: DiscriminatorConfig, size: Size) -> None:
        self.component = component
        self.config = config
        self.size = size

    def build(self) -> Discriminator[Any]:
        channels = _CONDITION_CHANNELS if self.config.conditional else 0
        return self.component(self.config, DiscriminatorIO(self.size, channels))

    def condition(self, batch: int, size: Size, seed: int = 1) -> Tensor | None:
        if not self.config.conditional:
            return None
        images = [example_image(batch, size, seed + index) for index in range(_CONDITION_CHANNELS // 3)]
        return torch.cat(images, dim=1)

    def run(self, network: nn.Module, size: Size, batch: int = 2) -> Tensor:
        return _all_logits(self.judge(network, size, batch))

    def judge(self, network: nn.Module, size: Size, batch: int = 2) -> DiscriminatorOutput:
        outputs: DiscriminatorOutput = network(example_image(batch, size), self.condition(batch, size))
        return outputs

    def run_in_layout(self, layout: torch.memory_format) -> Tensor:
        network = seeded(self.build, 0).eval()
        # only four-dimensional parameters have the layout
        network = network.to(memory_format=layout)
        condition = self.condition(2, self.size)
        outputs: DiscriminatorOutput = network(
            example_image(2, self.size).to(memory_format=layout),
            None if condition is None else condition.to(memory_format=layout),
        )
        return _all_logits(outputs)

    def check_logits(self, size: Size) -> None:
        network = seeded(self.build, 0)
        for training in (True, False):
            for batch in (1, 2):
                with torch.no_grad():
                    outputs = self.judge(network.train(training), size, batch)
                mode = "in training mode" if training else "in evaluation mode"
                what = f"the logits for a batch of {batch} of {size[0]}x{size[1]} pixels {mode}"
                _check_outputs(outputs, batch, what)
        with torch.no_grad():
            require(
                torch.equal(self.run(network, size), self.run(network, size)),
                "in evaluation mode, the same image has two different outputs",
            )

    def check_condition(self) -> None:
        if not self.config.conditional:
            return
        network = seeded(self.build, 0).eval()
        image = example_image(2, self.size)
        with torch.no_grad():
            one, other = (
                _all_logits(network(image, self.condition(2, self.size, seed))) for seed in (1, 100)
            )
        require(not torch.equal(one, other), "it is conditional, but another condition changes nothing")
