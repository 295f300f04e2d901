"""The contract of every component, whatever its kind."""

from __future__ import annotations

from inspect import isabstract
from typing import Any

from pydantic import BaseModel

from skinfw.components.config import ComponentConfig
from skinfw.components.registry import Registry
from skinfw.interfaces import (
    Augmentation,
    Dataset,
    Discriminator,
    Generator,
    Input,
    Loss,
    Metric,
    PoseEncoder,
    SegmentationLoss,
    SegmentationNetwork,
    Segmenter,
)
from skinfw.interfaces.component import Component
from skinfw.testing._require import require

INTERFACES: dict[str, type[Component[Any, Any]]] = {
    "dataset": Dataset,
    "segmenter": Segmenter,
    "pose_encoder": PoseEncoder,
    "input": Input,
    "augmentation": Augmentation,
    "generator": Generator,
    "discriminator": Discriminator,
    "loss": Loss,
    "metric": Metric,
    "segmentation_network": SegmentationNetwork,
    "segmentation_loss": SegmentationLoss,
}
"""The interface of each kind."""


def check_component(registry: Registry, kind: str, name: str) -> None:
    """Check a registered component's entry, class and configuration class.

    It checks that both can be imported and have the right base class, that no method is abstract, that class
    and configuration have a docstring and every field a description, and that the configuration has a JSON
    Schema.

    Args:
        registry: the registry that lists it, usually ``skinfw.components.registry.installed()``.
        kind: the interface that it implements.
        name: its name.

    Raises:
        AssertionError: the contract is violated; the message says how.
        RegistryError: the component is unknown, it cannot be imported, or its configuration has another base
            class.
    """
    where = f"{kind} '{name}'"
    interface = INTERFACES[kind]
    component, config = registry.component_class(kind, name), registry.config_class(kind, name)
    require(
        isinstance(component, type) and issubclass(component, interface),
        f"{where}: {component!r} is not a subclass of {interface.__name__}",
    )
    require(component.kind == kind, f"{where}: the kind of its class is {component.kind!r}")
    missing = sorted(getattr(component, "__abstractmethods__", ()))
    require(not isabstract(component), f"{where}: these methods are missing: {', '.join(missing)}")
    for documented in (component, config):
        require(bool(documented.__dict__.get("__doc__")), f"{where}: {documented.__name__} has no docstring")
    bare = _undescribed(config)
    require(not bare, f"{where}: these fields have no description: {', '.join(bare)}")
    config.model_json_schema()


def check_config(config: ComponentConfig) -> None:
    """Check that a configuration is unchanged after a round trip through JSON.

    Raises:
        AssertionError: it changes.
    """
    written = config.model_dump(mode="json", by_alias=True)
    read = type(config).model_validate(written)
    require(read == config, f"{type(config).__name__} changes in a round trip through JSON: {written}")


def _undescribed(model: type[BaseModel]) -> list[str]:
    return [name for name, field in model.model_fields.items() if not field.description]
