"""Fields that refer outside skinfw: paths, programs, addresses, hub models. Light: pydantic only."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, StringConstraints, ValidationInfo
from pydantic_core import PydanticCustomError

from skinfw.components.variables import (
    STORED,
    VARIABLE,
    VariablePath,
    VariableText,
    as_json,
    with_variables,
)

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:(//|:)")


def resolve_path(value: Path, info: ValidationInfo) -> Path:
    """Return a spec's path with ``~`` and ``$VARIABLES`` expanded, relative to the spec's folder.

    A spec in a run folder keeps the variables: see `skinfw.components.variables`.
    """
    context = info.context or {}
    try:
        given = str(value.expanduser())
    except RuntimeError:
        raise PydanticCustomError(
            "unknown_home", f"the home folder of {value.parts[0]} is unknown; write out the path"
        ) from None
    text = os.path.expandvars(given)
    unset = VARIABLE.search(text)
    if unset:
        name = unset.group(1).strip("{}")
        if context.get(STORED):
            return VariablePath.of(given, given, name)
        raise PydanticCustomError(
            "unset_variable",
            f"the environment variable {name} is not set; set it, or write out the path",
        )
    if "\0" in text:
        raise PydanticCustomError("zero_byte", "the path contains a zero byte")
    folder = context.get("folder")
    path = Path(text) if folder is None else Path(os.path.normpath(Path(folder, text)))
    literal = None if context.get(STORED) else VARIABLE.search(str(path))
    if literal:  # of the folder; a run could not record it
        raise PydanticCustomError(
            "variable_in_folder",
            f"the spec's folder is {folder}, in which {literal.group()} would mean an environment variable; "
            "rename the folder",
        )
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:  # a run could not record it
        raise PydanticCustomError("no_utf8", "the path is not UTF-8; rename the folder or file") from None
    return path if text == given else with_variables(path, given, folder)


def resolve_text(value: str, info: ValidationInfo) -> str:
    """Return a spec's text that is a path, resolved as by `resolve_path`."""
    path = resolve_path(Path(value), info)
    if not isinstance(path, VariablePath):
        return str(path)
    text = VariableText(path)
    text.given, text.unset = path.given, path.unset
    return text


def is_address(value: str) -> bool:
    """Return whether a text is an address instead of a path, such as ``s3://bucket/name``.

    Example:
        >>> is_address("https://host/shards"), is_address("C:/shards")
        (True, False)
    """
    return bool(_ADDRESS.match(value))


def resolve_place(value: str, info: ValidationInfo) -> str:
    """Return a spec's address as it is, and a path resolved as by `resolve_path`.

    A variable may hold the beginning of an address: ``$DATA/shards``.
    """
    if is_address(value):
        return value
    expanded = os.path.expandvars(value)
    if not is_address(expanded):
        return resolve_text(value, info)
    address = VariableText(expanded)
    address.given = value
    return address


KEEPS_VARIABLES = PlainSerializer(as_json, when_used="json")
"""Marks a field whose value is from `resolve_path` or `resolve_text`: a stored spec keeps its variables."""

OutsideKind = Literal["program", "path", "address", "hub", "model"]
"""What a value refers to: a program to start, a file or folder, a URL, a model on a hub, or a model by its
path or by its name in the package."""

HUB = "hub:"
"""What the names of models on a hub begin with: ``hub:ORG/NAME@REVISION``; see `skinfw.models.hub`."""

EMBEDDED = "skinfw:"
"""What the names of the models begin with that are part of the package; see `skinfw.models.embedded`."""


@dataclass(frozen=True)
class Outside:
    """Marks a field that refers to something outside skinfw: ``Annotated[str, Outside("hub")]``.

    Its value in the spec of somebody else's run is rejected unless you trust the run; see
    `skinfw.components.trust`.

    Attributes:
        kind: what the value refers to.
        training: whether only training uses the value, so that a trained run works without it.
    """

    kind: OutsideKind
    training: bool = False


@dataclass(frozen=True)
class Cited:
    """Marks a field whose value is only shown, never opened, so that it refers to nothing."""


CITED = Cited()
"""The mark: ``Annotated[str, CITED]``."""


SpecPath = Annotated[Path, AfterValidator(resolve_path), KEEPS_VARIABLES, Outside("path")]
"""A path in a spec: ``~`` and ``$VARIABLES`` are expanded; relative to the spec's folder."""

SpecPlace = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, Path) else value),
    StringConstraints(min_length=1),
    AfterValidator(resolve_place),
    KEEPS_VARIABLES,
    Outside("path"),
]
"""A path, as `SpecPath`, or an address, which is not changed."""

ProgramPath = Annotated[Path, AfterValidator(resolve_path), KEEPS_VARIABLES, Outside("program")]
"""The path of a program that the component starts; a run logs it first."""
