"""Paths with environment variables: resolved when read, with the variables when stored. Light: pydantic only.

So a run moves between machines that keep the data in different places.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import SerializationInfo

if sys.platform == "win32":
    from pathlib import WindowsPath as _NativePath
else:
    from pathlib import PosixPath as _NativePath

VARIABLE = re.compile(r"\$(\w+|\{\w+\})")
"""An environment variable in a path, as `os.path.expandvars` reads it."""

STORED = "stored"
"""Key of pydantic's context. In validation: the spec comes from a run folder or checkpoint, where a variable
may be unset as long as nobody needs the path. In serialization: the spec goes there, with its variables."""


class VariablePath(_NativePath):
    """A path that a spec gives with environment variables.

    It is the resolved path; paths derived from it are plain ones.

    Attributes:
        given: the path with its variables, for the stored spec; None in derived paths.
        unset: the name of a variable that is not set, so that the path is unknown; None if all are.
    """

    given: str | None = None
    unset: str | None = None

    @classmethod
    def of(cls, path: str, given: str | None, unset: str | None = None) -> VariablePath:
        """Return a path with its attributes."""
        made = cls(path)
        made.given, made.unset = given, unset
        return made

    def __reduce__(self) -> tuple[Callable[..., Path], tuple[str, str | None, str | None]]:
        return VariablePath.of, (str(self), self.given, self.unset)


class VariableText(str):
    """The same as `VariablePath` for a field that holds text, which may be a path."""

    given: str | None = None
    unset: str | None = None


def with_variables(path: Path, given: str, folder: Path | None) -> Path:
    """Return a resolved path that remembers its variables, unless they depend on the spec's folder.

    Args:
        path: the resolved path.
        given: the path with its variables.
        folder: the spec's folder, or None.
    """
    whole = given if folder is None or given.startswith("$") else str(Path(folder, given))
    same = os.path.normpath(os.path.expandvars(whole)) == os.path.normpath(path)
    return VariablePath.of(str(path), whole) if same else path


def expand_variables(path: str) -> Path:
    """Return a path from a stored spec with its variables expanded; unset ones stay as they are."""
    return Path(os.path.expandvars(path))


def variables_of(stored: Any) -> dict[str, str]:
    """Return the values of the environment variables that the strings of a stored spec name."""
    if isinstance(stored, dict | list):
        parts = stored.values() if isinstance(stored, dict) else stored
        return {name: value for part in parts for name, value in variables_of(part).items()}
    names = VARIABLE.findall(stored) if isinstance(stored, str) else []
    found = (name.strip("{}") for name in names)
    return {name: os.environ[name] for name in found if name in os.environ}


def as_json(value: Any, info: SerializationInfo) -> Any:
    """Return a path or text as JSON: with its variables in a stored spec, resolved elsewhere."""
    given = getattr(value, "given", None) if (info.context or {}).get(STORED) else None
    return given or (str(value) if isinstance(value, Path) else value)
