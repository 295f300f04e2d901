"""A configuration whose data are in another place or unknown. Light: pydantic only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel

from skinfw.components.trust import guessed_kind, named_outside
from skinfw.components.variables import STORED

ConfigT = TypeVar("ConfigT", bound=BaseModel)


def relocated(config: ConfigT, old: Path, new: Path, **changes: Any) -> ConfigT:
    """Return a configuration in which every path at or below a folder is at or below another one.

    Args:
        config: the configuration.
        old: the folder; its path may have an environment variable that is not set.
        new: the folder that takes its place.
        **changes: other values to set.
    """
    paths = {each.value for each in named_outside(config, training=True) if each.kind == "path"}
    moved = {each: _moved(each, old, new) for each in paths}
    value = _replaced(config.model_dump(mode="json", by_alias=True), moved)
    return type(config).model_validate({**value, **changes}, context={STORED: True})


def _moved(path: str, old: Path, new: Path) -> str:
    place = Path(os.path.normpath(path))
    base = Path(os.path.normpath(old))
    return str(new / place.relative_to(base)) if place.is_relative_to(base) else path


def _replaced(value: Any, moved: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(part, moved) for key, part in value.items()}
    if isinstance(value, list):
        return [_replaced(part, moved) for part in value]
    return moved.get(value, value) if isinstance(value, str) else value


def without_folders(value: Any) -> Any:
    """Return JSON with every path and address of one machine shortened to its last part.

    Example:
        >>> without_folders({"root": "/home/anna/photos", "weights": "bodypix", "cache": "$SKINFW_DATA/x"})
        {'root': 'photos', 'weights': 'bodypix', 'cache': '$SKINFW_DATA/x'}
        >>> without_folders("s3://anna:secret@host/shards/train.tar?key=1")
        'train.tar'
    """
    if isinstance(value, dict):
        return {key: without_folders(part) for key, part in value.items()}
    if isinstance(value, list):
        return [without_folders(part) for part in value]
    kind = guessed_kind(value) if isinstance(value, str) else None
    if kind == "address":
        address = urlsplit(value.strip())
        return PurePosixPath(address.path).name or address.scheme
    # knows the separators of every system
    return PureWindowsPath(value).name if kind == "path" else value


def spec_for_others(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a filled spec as JSON for use on other machines: see `without_folders`.

    The addresses of licenses stay: they are meant for readers.
    """
    return {**without_folders(dict(spec)), "licenses": spec["licenses"]}
