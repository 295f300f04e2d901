"""What measured components are called in a table."""

from __future__ import annotations

from collections.abc import Iterable

from skinfw.component_spec import ComponentSpec


def labelled(references: Iterable[ComponentSpec]) -> dict[str, ComponentSpec]:
    """Return components by what tells them apart: the name, and the parameters that are not the default.

    Components that are the same come once.

    Example:
        >>> from skinfw.component_spec import use
        >>> list(labelled([use("segmenter", "bodypix"), use("segmenter", "bodypix", stride=16)]))
        ['bodypix', 'bodypix stride=16']
    """
    return {_label(reference): reference for reference in references}


def _label(reference: ComponentSpec) -> str:
    changed = reference.config.model_dump(mode="json", exclude_defaults=True)
    return " ".join([reference.name, *(f"{name}={_text(value)}" for name, value in changed.items())])


def _text(value: object) -> str:
    """Return a value shortly; a component stands for itself by its name."""
    if isinstance(value, dict) and "type" in value:
        return str(value["type"])
    return str(value)
