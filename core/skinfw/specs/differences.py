"""Compares two specs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skinfw.specs.spec import AnySpec


def spec_differences(before: AnySpec, now: AnySpec, *, free: Sequence[str] = ()) -> list[str]:
    """Return the JSON paths at which two specs differ.

    Args:
        before: one spec.
        now: the other one.
        free: fields of ``training`` to ignore.
    """
    one, other = before.to_json(), now.to_json()
    for side in (one, other):
        for name in free:
            side["training"].pop(name, None)
    return _differences(one, other, "$")


def _differences(before: Any, now: Any, path: str) -> list[str]:
    """Return the JSON paths at which two specs differ."""
    if before == now:
        return []
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return [path]
    keys = dict.fromkeys([*before, *now])
    return [found for key in keys for found in _differences(before.get(key), now.get(key), f"{path}.{key}")]
