"""Fields whose value leads out of skinfw: paths, programs, addresses, hub models. Light: pydantic only."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, ValidationInfo
from pydantic_core import PydanticCustomError

_VARIABLE = re.compile(r"\$(\w+|\{\w+\})")


def resolve_path(value: Path, info: ValidationInfo) -> Path:
    """Return a path of a spec with ``~`` and ``$VARIABLES`` replaced, from the spec's own folder."""
    try:
        text = os.path.expandvars(value.expanduser())
    except RuntimeError:
        raise PydanticCustomError(
            "unknown_home", f"the home folder of {value.parts[0]} is not known; give the path itself"
        ) from None
    unset = _VARIABLE.search(text)
    if unset:
        name = unset.group(1).strip("{}")
        raise PydanticCustomError(
            "unset_variable",
            f"the environment variable {name} is not set; set it, or give the path itself",
        )
    if "\0" in text:
        raise PydanticCustomError("zero_byte", "the path contains a zero byte")
    folder = (info.context or {}).get("folder")
    path = Path(text) if folder is None else Path(os.path.normpath(Path(folder, text)))
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:  # a run could not write it down
        raise PydanticCustomError("no_utf8", "the path is not UTF-8; rename the folder or file") from None
    return path


OutsideKind = Literal["program", "path", "address", "hub"]
"""What a value leads to: a program that is started, a file or folder, a URL, a model on a hub."""


@dataclass(frozen=True)
class Outside:
    """Marks a field whose value leads out of skinfw: ``Annotated[str, Outside("hub")]``.

    What the spec of a stranger's run names there is rejected unless the user trusts the run; see
    `skinfw.components.trust`.

    Attributes:
        kind: what the value leads to.
        training: whether the value is used in training only, so that a trained run can be used without it.
    """

    kind: OutsideKind
    training: bool = False


SpecPath = Annotated[Path, AfterValidator(resolve_path), Outside("path")]
"""A path in a spec: ``~`` and ``$VARIABLES`` are replaced; relative to the spec's own folder."""

ProgramPath = Annotated[Path, AfterValidator(resolve_path), Outside("program")]
"""The path of a program that the component starts; a run says so before it does."""
