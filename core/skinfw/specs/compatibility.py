"""Checks that the networks and losses of a spec fit it. Light: uses configurations only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from skinfw.components.config import (
    AugmentationConfig,
    ComponentConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    InputConfig,
    LossConfig,
    MetricConfig,
    Size,
)
from skinfw.components.measured_region import WHOLE, region_field
from skinfw.components.reference import ComponentSpec, use
from skinfw.components.registry import RESERVED, Registry, installed
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


def gives_alpha(generator: ComponentSpec | None) -> bool:
    """Return whether the images of a generator have an alpha channel."""
    return (
        generator is not None
        and isinstance(generator.config, GeneratorConfig)
        and generator.config.gives_alpha
    )


def shown_skin_errors(inputs: Sequence[ComponentSpec]) -> list[str]:
    """Return the inputs that show a generator with alpha where the skin is."""
    return [
        f"$.data.inputs: {each.name} shows the skin that the generator's alpha has to find; remove it"
        for each in inputs
        if isinstance(each.config, InputConfig) and each.config.shows_skin
    ]


def alpha_errors(generator: ComponentSpec, users: Sequence[ComponentSpec], field: str) -> list[str]:
    """Return the losses or metrics that need an alpha, which the generator does not give.

    Args:
        generator: the trained generator.
        users: the losses or metrics.
        field: their field in the spec, for the message.
    """
    if gives_alpha(generator):
        return []
    return [
        f"$.{field}[{index}]: {each.name!r} needs a generator with alpha; {generator.name!r} gives none with "
        "these parameters"
        for index, each in enumerate(users)
        if (isinstance(each.config, LossConfig) and each.config.reads_alpha)
        or (isinstance(each.config, MetricConfig) and each.config.measures_alpha)
    ]


def sees_skin(baseline: ComponentSpec) -> bool:
    """Return whether a baseline gets an input that shows where the skin is."""
    config = baseline.config
    names = config.required_inputs if isinstance(config, GeneratorConfig) else ()
    return bool(shown_skin_errors([use("input", name) for name in names]))


def label_errors(baselines: Sequence[ComponentSpec]) -> list[str]:
    """Return an error for each label of a baseline that reports already use for something else."""
    registry = installed()
    taken = {*RESERVED, *registry.names("input"), *registry.names("generator")}
    return [
        f"$.baselines[{index}].label: {label!r} is what reports call something else; choose another one"
        for index, each in enumerate(baselines)
        if isinstance(each.config, GeneratorConfig)
        and (label := each.config.report_name) in taken
        and label != each.name
    ]


def trains(generator: ComponentSpec) -> bool:
    """Return whether a generator is trainable."""
    return not isinstance(generator.config, GeneratorConfig) or generator.config.trainable
