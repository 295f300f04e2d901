"""Checks that the networks and losses of a spec fit it. Light: uses configurations only."""

from __future__ import annotations

from collections.abc import Sequence

from skinfw.components.config import DiscriminatorConfig, GeneratorConfig, LossConfig, Size
from skinfw.components.reference import ComponentSpec


def size_errors(component: ComponentSpec | None, what: str, size: Size) -> list[str]:
    """Return why a network or loss does not accept the image size; empty if it does.

    Args:
        component: the network or loss, or None for none.
        what: its role in the spec, for the message.
        size: height and width of the images in pixels.
    """
    if component is None or not isinstance(
        component.config, GeneratorConfig | DiscriminatorConfig | LossConfig
    ):
        return []
    error = component.config.size_requirement(size).error(size)
    return [f"$.data.size: {what} {component.name!r}: {error}"] if error else []


def input_errors(generator: ComponentSpec, inputs: Sequence[str]) -> list[str]:
    """Return the inputs that a generator requires but does not get."""
    required = generator.config.required_inputs if isinstance(generator.config, GeneratorConfig) else ()
    missing = sorted(set(required) - set(inputs))
    if not missing:
        return []
    return [
        f"$.data.inputs: the generator {generator.name!r} needs {', '.join(missing)} with these parameters"
    ]


def adversary_errors(discriminator: ComponentSpec | None, losses: Sequence[ComponentSpec]) -> list[str]:
    """Return why a discriminator and the losses are incompatible."""
    configs = {loss.name: loss.config for loss in losses if isinstance(loss.config, LossConfig)}
    adversarial = {name: config for name, config in configs.items() if config.adversarial}
    if discriminator is None:
        judged = [name for name, config in configs.items() if config.adversarial or config.judged]
        return [f"$.discriminator: the loss {name!r} needs one; name a discriminator" for name in judged[:1]]
    if not adversarial:
        return ["$.discriminator: no loss trains it; add an adversarial loss or remove it"]
    if not isinstance(discriminator.config, DiscriminatorConfig):
        return []
    errors = {name: config.discriminator_error(discriminator.config) for name, config in adversarial.items()}
    return [f"$.discriminator: the loss {name!r}: {error}" for name, error in errors.items() if error]


def trains(generator: ComponentSpec) -> bool:
    """Return whether a generator is trainable."""
    return not isinstance(generator.config, GeneratorConfig) or generator.config.trainable
