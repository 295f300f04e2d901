"""Changes single values of a spec by path, as ``--set training.epochs=2`` does."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

from skinfw.errors import SpecError, UserError
from skinfw.system.json_file import MAX_LEVELS, parse_json


def parse_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """Parse ``path=value`` assignments into values by path; a value that is not JSON is taken as text.

    Raises:
        UserError: an assignment without ``=`` or without a path.

    Example:
        >>> parse_assignments(["training.epochs=2", "name=first"])
        {'training.epochs': 2, 'name': 'first'}
    """
    values: dict[str, Any] = {}
    for assignment in assignments:
        path, separator, text = assignment.partition("=")
        if not separator or not path.strip():
            raise UserError(f"--set {assignment}: expected PATH=VALUE, for instance training.epochs=2")
        try:
            values[path.strip()] = parse_json(text)
        except ValueError:
            values[path.strip()] = text
    return values


def apply_overrides(value: Any, overrides: Mapping[str, Any], source: str) -> Any:
    """Return a copy of a spec with values set by path.

    A path consists of names and indices: ``losses.0.weight`` or ``losses[0].weight``. A component given as
    a bare name becomes an object when you set one of its parameters.

    Raises:
        SpecError: a path does not exist in the spec, or has more than 100 parts.

    Example:
        >>> apply_overrides({"losses": ["l1"]}, {"losses[0].weight": 100}, "spec.json")
        {'losses': [{'type': 'l1', 'weight': 100}]}
    """
    result = copy.deepcopy(value)
    errors = []
    for path, new in overrides.items():
        parts = re.sub(r"\[(\d+)\]", r".\1", path.removeprefix("$.")).split(".")
        if len(parts) > MAX_LEVELS:
            errors.append(f"--set {path[:40]}...: {len(parts)} parts; {MAX_LEVELS} are allowed")
            continue
        try:
            result = _assign(result, parts, new)
        except (IndexError, TypeError, ValueError) as error:
            errors.append(f"--set {path}: {error}")
    if errors:
        raise SpecError(source, errors)
    return result


def _assign(holder: Any, parts: list[str], new: Any) -> Any:
    if not parts:
        return new
    first, rest = parts[0], parts[1:]
    if isinstance(holder, str):
        holder = {"type": holder}
    if holder is None:
        holder = {}
    if isinstance(holder, list):
        if not first.isdigit() or int(first) >= len(holder):
            raise IndexError(f"the list has {len(holder)} entries; {first!r} is not an index from 0")
        holder[int(first)] = _assign(holder[int(first)], rest, new)
    elif isinstance(holder, dict):
        holder[first] = _assign(holder.get(first), rest, new)
    else:
        raise TypeError(f"{holder!r} has no part {first!r}")
    return holder
