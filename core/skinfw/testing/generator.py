"""The contract of generators."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor, nn

from skinfw.components.config import GeneratorConfig, Size
from skinfw.components.field_names import APPAREL, LINE
from skinfw.interfaces import Generator
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
from skinfw.testing.examples import EXAMPLE_NAMES, example_condition, example_generator_io, example_image


def check_generator(component: type[Generator[Any]], config: GeneratorConfig, size: Size = (64, 96)) -> None:
    """Check a generator against its interface, on the CPU with random images.

    Checks shape (with a channel for alpha if the configuration says ``gives_alpha``), range and type of the
    output in training and evaluation mode, batches of one and two, the smallest accepted size, determinism,
    the state dict, gradients, channels-last tensors and half-precision autocast. Also checks that the output
    depends on the condition exactly if ``conditional`` is true, that noise changes it if ``noise_shape`` is
    not empty, and that the configuration's ``trainable``, ``required_inputs`` and ``size_requirement`` are
    correct. Samples are named as in `EXAMPLE_NAMES`. Of ``prepare_training``, only the arguments are checked;
    it is not called.

    Args:
        component: the class.
        config: its configuration; small networks make a quick check.
        size: height and width in pixels, two different ones that the configuration accepts.

    Raises:
        AssertionError: the contract is violated; the message says how.
    """
    try:
        inspect.signature(component.prepare_training).bind(None, None)
    except TypeError as error:
        raise AssertionError(f"prepare_training() must take the data alone: {error}") from None
    requirement = config.size_requirement(size)
    check_requirement(requirement, size)
    probe = _Probe(component, config, size)
    for accepted in (size, smallest_size(requirement)):
        with accepting(accepted):
            probe.check_outputs(accepted)
    probe.check_determinism()
    probe.check_what_it_depends_on()
    check_same_seed(probe.build)
    check_reload(probe.build, lambda network: probe.run(network, size))
    for half in check_layouts(probe.run_in_layout):
        _check_output(half, (2, probe.channels, *size), "the output under autocast")
    probe.check_training()


class _Probe:
    """A generator under test with its inputs."""

    def __init__(self, component: type[Generator[Any]], config: GeneratorConfig, size: Size) -> None:
        self.component = component
        self.config = config
        self.size = size
        self.channels = 4 if config.gives_alpha else 3
        # a generator without training gets only the inputs that it requires
        others = (APPAREL, LINE) if config.trainable else ()
        self.inputs = tuple(dict.fromkeys([*config.required_inputs, *others]))

    def build(self) -> Generator[Any]:
        return self.component(self.config, example_generator_io(self.size, self.inputs))

    def call(
        self, network: nn.Module, condition: Tensor, noise: Tensor | None, target: Tensor | None = None
    ) -> Tensor:
        if isinstance(network, Generator):
            network.begin_batch(EXAMPLE_NAMES[: len(condition)])
        output: Tensor = network(condition, noise, target)
        return output

    def condition(self, batch: int, size: Size, seed: int = 0) -> Tensor:
        return example_condition(self.inputs, batch, size, seed)

    def noise(self, network: Generator[Any], batch: int, size: Size, seed: int = 0) -> Tensor | None:
        shape = network.noise_shape(size)
        if not shape:
            return None
        return torch.randn(batch, *shape, generator=torch.Generator().manual_seed(seed))

    def run(self, network: nn.Module, size: Size, batch: int = 2) -> Tensor:
        require(isinstance(network, Generator), f"{type(network).__name__} is not a Generator")
        noise = self.noise(network, batch, size) if isinstance(network, Generator) else None
        return self.call(network, self.condition(batch, size), noise)

    def run_in_layout(self, layout: torch.memory_format) -> Tensor:
        network = seeded(self.build, 0).eval()
        # only four-dimensional parameters have the layout
        network = network.to(memory_format=layout)
        condition = self.condition(2, self.size).to(memory_format=layout)
        return self.call(network, condition, self.noise(network, 2, self.size))

    def check_outputs(self, size: Size) -> None:
        network = seeded(self.build, 0)
        for training in (True, False):
            for batch in (1, 2):
                condition = self.condition(batch, size)
                before = condition.clone()
                with torch.no_grad():
                    output = self.call(network.train(training), condition, self.noise(network, batch, size))
                mode = "in training mode" if training else "in evaluation mode"
                what = f"the output for a batch of {batch} of {size[0]}x{size[1]} pixels {mode}"
                _check_output(output, (batch, self.channels, *size), what)
                require(output.dtype == torch.float32, f"{what} is {output.dtype}, not float32")
                require(torch.equal(condition, before), "forward changes the condition it is given")

    def check_determinism(self) -> None:
        network = seeded(self.build, 0).eval()
        with torch.no_grad():
            one, other = (self.run(network, self.size) for _ in range(2))
            require(
                torch.equal(one, other), "in evaluation mode, the same condition gives two different images"
            )
            noise = self.noise(network, 2, self.size)
            alone = self.call(network, self.condition(2, self.size)[:1], None if noise is None else noise[:1])
        require_close(
            alone, one[:1], TOLERANCE, "in evaluation mode, an image depends on the rest of its batch"
        )

    def check_what_it_depends_on(self) -> None:
        network = seeded(self.build, 0).eval()
        with torch.no_grad():
            first = self.run(network, self.size)
            other_condition = self.call(
                network, self.condition(2, self.size, seed=100), self.noise(network, 2, self.size)
            )
            depends = not torch.equal(first, other_condition)
            require(
                depends == self.component.conditional,
                f"conditional is {self.component.conditional}, but another condition gives "
                f"{'another' if depends else 'the same'} image",
            )
            if network.noise_shape(self.size):
                other_noise = self.call(
                    network, self.condition(2, self.size), self.noise(network, 2, self.size, seed=1)
                )
                require(
                    not torch.equal(first, other_noise),
                    "noise_shape is not empty, but other noise changes nothing",
                )

    def check_training(self) -> None:
        network = seeded(self.build, 0).train()
        if self.config.trainable:
            target = example_image(2, self.size, seed=7)
            noise = self.noise(network, 2, self.size)
            output = self.call(network, self.condition(2, self.size), noise, target)
            shape = (2, self.channels, *self.size)
            _check_output(output, shape, "the output in training mode, with the target")
        trained = any(parameter.requires_grad for parameter in network.parameters())
        require(
            trained == self.config.trainable,
            f"the configuration's trainable is {self.config.trainable}, but there is "
            f"{'something' if trained else 'nothing'} to train",
        )
        if trained:
            output = self.run(network, self.size)
            target = example_image(2, self.size, seed=7, channels=self.channels)
            check_gradients(network, (output - target).square().mean())


def _check_output(output: Tensor, shape: tuple[int, ...], what: str) -> None:
    require(tuple(output.shape) == shape, f"{what} has the shape {tuple(output.shape)}, not {shape}")
    require_finite(output, what)
    values = output.detach()
    low, high = float(values.min()), float(values.max())
    require(low >= 0 and high <= 1, f"{what} lies in [{low:.3g}, {high:.3g}], not in [0, 1]")
