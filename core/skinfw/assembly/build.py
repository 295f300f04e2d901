"""Builds one component from a reference; imports nothing heavy itself."""

from __future__ import annotations

from typing import Any, TypeVar

from skinfw.components.reference import ComponentSpec
from skinfw.components.registry import installed
from skinfw.components.trust import announce_programs, reject_unset
from skinfw.errors import RegistryError
from skinfw.interfaces.component import Component

InterfaceT = TypeVar("InterfaceT", bound=Component[Any, Any])


def build(reference: ComponentSpec, interface: type[InterfaceT], io: object = None) -> InterfaceT:
    """Build one component.

    Args:
        reference: the component, with its configuration.
        interface: the interface that it must implement.
        io: the interface's ``io``; None for segmenters and pose encoders.

    Raises:
        RegistryError: the class cannot be imported, has another interface, or lacks a method.
        RunError: a path in it needs an environment variable that is not set.
    """
    registry = installed()
    found = registry.component_class(reference.kind, reference.name)
    provider = registry.entry(reference.kind, reference.name).provider
    if not (isinstance(found, type) and issubclass(found, interface)):
        raise RegistryError(
            f"{reference.kind} '{reference.name}' of {provider}: {found!r} is not a subclass of "
            f"{interface.__name__}"
        )
    missing = sorted(getattr(found, "__abstractmethods__", ()))
    if missing:
        raise RegistryError(f"{reference.kind} '{reference.name}' of {provider} lacks: {', '.join(missing)}")
    reject_unset(reference, f"{reference.kind} {reference.name!r}, $")
    announce_programs(reference)
    return found(reference.config, io)
