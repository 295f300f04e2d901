"""Labels of measured components in a table, and whether they may be ranked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from skinfw.components.reference import ComponentSpec


def labeled(references: Iterable[ComponentSpec]) -> dict[str, ComponentSpec]:
    """Return components by a distinguishing label: the name and the non-default parameters.

    Equal components appear once.

    Example:
        >>> from skinfw.components.reference import use
        >>> list(labeled([use("segmenter", "bodypix"), use("segmenter", "bodypix", stride=16)]))
        ['bodypix', 'bodypix stride=16']
    """
    return {_label(reference): reference for reference in references}


def same_photos(unusable: Iterable[Mapping[str, str]]) -> bool:
    """Return whether several components were measured on the same photos: only then may they be ranked.

    Args:
        unusable: for each component, why photos could not be measured, by photo.
    """
    photos = [frozenset(each) for each in unusable]
    return len(photos) > 1 and len({*photos}) == 1


def _label(reference: ComponentSpec) -> str:
    changed = reference.config.model_dump(mode="json", exclude_defaults=True)
    return " ".join([reference.name, *(f"{name}={_text(value)}" for name, value in changed.items())])


def _text(value: object) -> str:
    """Return a short form of a value; for a component, its name."""
    if isinstance(value, dict) and "type" in value:
        return str(value["type"])
    return str(value)
