"""Compares two specs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skinfw.models.hub import pins
from skinfw.specs.spec import AnySpec

NO_RESULTS = (
    "training.threads",
    "data.num_workers",
    "data.sample_cache",
    "licenses.commercial",
    "licenses.declared",
)
"""Fields on which the results of a run do not depend."""


def spec_differences(before: AnySpec, now: AnySpec, *, free: Sequence[str] = ()) -> list[str]:
    """Return the JSON paths at which two specs differ.

    Paths are equal if they are the same place, or are given with the same variables. A model on a hub without
    a commit is equal to any commit of it.

    Args:
        before: one spec.
        now: the other one.
        free: dotted paths of fields to ignore.
    """
    pairs = ((before.to_json(), now.to_json()), (before.resolved_json(), now.resolved_json()))
    for side in (each for pair in pairs for each in pair):
        for section, _, name in (path.partition(".") for path in free):
            side[section].pop(name, None)
    as_given, resolved = (_differences(*pair, "$") for pair in pairs)
    return [path for path in as_given if path in resolved]


def _differences(before: Any, now: Any, path: str) -> list[str]:
    """Return the JSON paths at which two specs differ."""
    if before == now or _same_model(before, now):
        return []
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return [path]
    keys = dict.fromkeys([*before, *now])
    return [found for key in keys for found in _differences(before.get(key), now.get(key), f"{path}.{key}")]


def _same_model(before: Any, now: Any) -> bool:
    """Return whether one value is a model on a hub, and the other the same model with its commit."""
    return isinstance(before, str) and isinstance(now, str) and (pins(before, now) or pins(now, before))
