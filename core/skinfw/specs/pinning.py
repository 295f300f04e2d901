"""Models on a hub that a spec names: with their commits, so that they stay the same. Light: no torch."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from skinfw.components.reference import ComponentSpec, read_component
from skinfw.components.trust import named_outside
from skinfw.components.variables import STORED
from skinfw.models.hub import moves, pinned
from skinfw.specs.overrides import apply_overrides
from skinfw.specs.spec import AnySpec, parse_spec

logger = logging.getLogger("skinfw")


_NONE: Mapping[str, str] = MappingProxyType({})


def pinned_spec(spec: AnySpec, commits: Mapping[str, str] = _NONE) -> AnySpec:
    """Return a spec that names models on a hub with their commits; other specs are returned as they are.

    Args:
        spec: the spec.
        commits: the names with commits that a run or ablation began with and keeps, by the names that were
            given.

    Raises:
        UserError: the hub cannot be reached or does not have a model.
        TrustError: connections are forbidden.
    """
    changes = _changes(spec, commits)
    if not changes:
        return spec
    return parse_spec(apply_overrides(spec.to_json(), changes, spec.name), source=spec.name, stored=True)


def pinned_component(reference: ComponentSpec) -> ComponentSpec:
    """Return a component that names models on a hub with their commits.

    Args:
        reference: the component.

    Raises:
        UserError: as `pinned_spec`.
        TrustError: as `pinned_spec`.
    """
    changes = _changes(reference, _NONE)
    if not changes:
        return reference
    value = apply_overrides(reference.to_json({STORED: True}), changes, reference.name)
    return read_component(reference.kind, value)


def used_commits(given: AnySpec, pinned_one: AnySpec) -> dict[str, str]:
    """Return the names with commits of a pinned spec, by the names that were given without."""
    now = _on_hub(pinned_one)
    return {name: now[place] for place, name in _on_hub(given).items() if moves(name)}


def _changes(value: AnySpec | ComponentSpec, commits: Mapping[str, str]) -> dict[str, str]:
    """Return the names with commits, by their places, of models whose names have none."""
    changes = {}
    for place, name in _on_hub(value).items():
        if not moves(name):
            continue
        if name in commits:
            logger.warning("%s: began with %s and keeps it", name, commits[name])
            changes[place] = commits[name]
        else:
            changes[place] = pinned(Path(name)).as_posix()
    return changes


def _on_hub(value: Any) -> dict[str, str]:
    """Return the models on a hub that a spec or component names, by their places."""
    return {each.place: each.value for each in named_outside(value, training=True) if each.kind == "hub"}
