"""What measured components are called in a table, and whether they may be ranked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from skinfw.components.reference import ComponentSpec


def labeled(references: Iterable[ComponentSpec]) -> dict[str, ComponentSpec]:
    """Return components by what tells them apart: the name, and the parameters that are not the default.

    Components that are the same come once.

    Example:
        >>> from skinfw.components.reference import use
        >>> list(labeled([use("segmenter", "bodypix"), use("segmenter", "bodypix", stride=16)]))
        ['bodypix', 'bodypix stride=16']
    """
    return {_label(reference): reference for reference in references}


def same_photos(unusable: Iterable[Mapping[str, str]]) -> bool:
    """Return whether components were measured on the same photos: only then their means may be ranked.

    Args:
        unusable: of each component, why photos could not be measured, by the photo.
    """
    return len({frozenset(each) for each in unusable}) <= 1


def _label(reference: ComponentSpec) -> str:
    changed = reference.config.model_dump(mode="json", exclude_defaults=True)
    return " ".join([reference.name, *(f"{name}={_text(value)}" for name, value in changed.items())])


def _text(value: object) -> str:
    """Return a value shortly; a component stands for itself by its name."""
    if isinstance(value, dict) and "type" in value:
        return str(value["type"])
    return str(value)
