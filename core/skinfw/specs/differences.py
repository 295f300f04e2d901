"""Compares two specs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from skinfw.specs.spec import AnySpec

NO_RESULTS = (
    "training.threads",
    "data.num_workers",
    "data.sample_cache",
    "licenses.commercial",
    "licenses.declared",
)
"""Fields on which the results of a run do not depend."""


_NONE: Mapping[str, str] = MappingProxyType({})


def spec_differences(
    before: AnySpec, now: AnySpec, *, free: Sequence[str] = (), commits: Mapping[str, str] = _NONE
) -> list[str]:
    """Return the JSON paths at which two specs differ.

    Paths are equal if they are the same place, or are given with the same variables.

    Args:
        before: one spec.
        now: the other one.
        free: dotted paths of fields to ignore.
        commits: the names with commits of models on a hub that the run of the first spec began with, by the
            names that were given; both are equal.
    """
    pairs = ((before.to_json(), now.to_json()), (before.resolved_json(), now.resolved_json()))
    for side in (each for pair in pairs for each in pair):
        for section, _, name in (path.partition(".") for path in free):
            side[section].pop(name, None)
    as_given, resolved = (
        _differences(_with_commits(old, commits), _with_commits(new, commits), "$") for old, new in pairs
    )
    return [path for path in as_given if path in resolved]


def _differences(before: Any, now: Any, path: str) -> list[str]:
    """Return the JSON paths at which two specs differ."""
    if before == now:
        return []
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return [path]
    keys = dict.fromkeys([*before, *now])
    return [found for key in keys for found in _differences(before.get(key), now.get(key), f"{path}.{key}")]


def _with_commits(value: Any, commits: Mapping[str, str]) -> Any:
    """Return a spec's JSON value with the names that have commits."""
    if isinstance(value, dict):
        return {key: _with_commits(each, commits) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_commits(each, commits) for each in value]
    return commits.get(value, value) if isinstance(value, str) else value
