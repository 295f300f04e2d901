"""A configuration whose data are in another place or unknown. Light: pydantic only."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel

from skinfw.components.trust import guessed_kind, named_outside
from skinfw.components.variables import STORED

_CITED = ("name", "address", "stated")
"""The fields of licenses that can be a path."""

_PART = r"[^\s\"'`,;:|<>()\[\]{}/\\]+"
_IN_TEXT = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]+://[^\s\"'<>\[\]]*"
    r"|(?:(?<![^\s\"'`=:,;|<>()\[{@])|(?<=\s-[A-Za-z])|(?<=^-[A-Za-z]))"  # as in -I/usr/include
    rf"(?:~[\w.-]*(?:[/\\]{_PART})+|(?:/{_PART}){{2,}}|[A-Za-z]:(?:[/\\]{_PART})+|\\(?:\\{_PART}){{2,}})"
    r"[/\\]?"
)
"""Addresses and absolute paths in texts."""

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

    In other texts, as in `texts_without_folders`.

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
    return PureWindowsPath(value).name if kind == "path" else texts_without_folders(value)


def texts_without_folders(value: Any) -> Any:
    """Return JSON with absolute paths of two parts and more in its texts shortened to their last part.

    So are addresses of files and those with a user name. Other addresses stay: they are meant for readers.

    Example:
        >>> texts_without_folders(["--weights=/home/anna/w.pt", "see https://example.org/a/b"])
        ['--weights=w.pt', 'see https://example.org/a/b']
        >>> texts_without_folders("from ftp://anna:secret@host/a/b.zip")
        'from b.zip'
    """
    if isinstance(value, dict):
        return {key: texts_without_folders(part) for key, part in value.items()}
    if isinstance(value, list):
        return [texts_without_folders(part) for part in value]
    return _IN_TEXT.sub(_last_part, value) if isinstance(value, str) else value


def _last_part(found: re.Match[str]) -> str:
    scheme, mark, rest = found[0].partition("://")
    if not mark:
        return PureWindowsPath(scheme).name
    private = scheme.lower() == "file" or "@" in rest.partition("/")[0]
    return str(without_folders(found[0])) if private else found[0]


def license_for_others(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return a declared license, or a row of the ledger, without paths of one machine; addresses stay."""
    return {
        key: PureWindowsPath(value).name
        if key in _CITED and guessed_kind(value) == "path"
        else texts_without_folders(value)
        for key, value in about.items()
    }


def spec_for_others(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a filled spec as JSON for use on other machines: see `without_folders`.

    The addresses of licenses stay: they are meant for readers. See `license_for_others`.
    """
    declared = spec["licenses"]["declared"]
    own = {name: license_for_others(about) for name, about in declared.items()}
    return {**without_folders(dict(spec)), "licenses": {**spec["licenses"], "declared": own}}
