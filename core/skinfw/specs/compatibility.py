"""Checks that the networks and losses of a spec fit it. Light: uses configurations only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from skinfw.components.config import (
    AugmentationConfig,
    ComponentConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    LossConfig,
    MetricConfig,
    Size,
)
from skinfw.components.measured_region import WHOLE, region_field
from skinfw.components.reference import ComponentSpec
from skinfw.components.registry import Registry
from skinfw.components.validation_errors import format_errors
from skinfw.errors import RegistryError


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


def default_input_errors(
    components: Sequence[ComponentSpec], path: str, inputs: Sequence[str], registry: Registry
) -> list[str]:
    """Return why inputs that components need, such as regions, cannot be used with their defaults.

    Args:
        components: losses, metrics, augmentations or baselines.
        path: JSON path of their list in the spec.
        inputs: the inputs that the spec itself configures.
        registry: where to look up the others.
    """
    return [
        f"{path}[{index}]{field}: {reason}"
        for index, each in enumerate(components)
        for field, name in _needed_inputs(each.config)
        if name not in inputs and (reason := _default_error(name, registry))
    ]


def _needed_inputs(config: ComponentConfig) -> Iterator[tuple[str, str]]:
    """Yield the inputs that a component needs, each with the field that names it."""
    if isinstance(config, LossConfig | AugmentationConfig | GeneratorConfig):
        yield from (("", name) for name in config.required_inputs)
    if isinstance(config, LossConfig) and config.region != WHOLE:
        yield ".region", region_field(config.region)
    if isinstance(config, MetricConfig):
        for index, region in enumerate(config.regions):
            if region != WHOLE:
                yield f".regions[{index}]", region_field(region)


def _default_error(name: str, registry: Registry) -> str:
    """Return why an input cannot be used without parameters; empty if it can."""
    try:
        registry.config_class("input", name).model_validate({})
    except RegistryError as error:
        return str(error)
    except ValidationError as error:
        wrong = "; ".join(line.removeprefix("$.") for line in format_errors(error, {}))
        return f"the input {name!r} needs parameters ({wrong}); name it with them in $.data.inputs"
    return ""


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
