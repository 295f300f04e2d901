"""Models by name: where a command, a spec or Python names a model, a name may stand for a path.

Light: pydantic only.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from skinfw.components.outside import KEEPS_VARIABLES, Outside, resolve_path
from skinfw.components.variables import STORED
from skinfw.errors import UserError
from skinfw.models.checkpoint_file import checkpoint_file
from skinfw.models.embedded import embedded_file, find_model, is_embedded
from skinfw.models.hub import is_on_hub, local_model, repository


def is_named(model: str | os.PathLike[str]) -> bool:
    """Return whether a model is given by a name instead of a path: one in the package, or one on a hub."""
    return is_embedded(model) or is_on_hub(model)


def model_path(model: Path) -> Path:
    """Return the file of a model in the package, or the folder of one on a hub; a path is returned as it is.

    Raises:
        UserError: no model has that name, its file is missing or damaged, or the hub cannot be reached.
        TrustError: connections are forbidden, as a run that somebody else trained names it.
    """
    return embedded_file(model) if is_embedded(model) else local_model(model)


def model_file(model: Path, which: str = "best") -> Path:
    """Return the checkpoint of a model: one of a run folder, the file of a name, or the file itself.

    Args:
        model: the folder or file, or a name like ``skinfw:NAME``.
        which: the ``best`` or ``last`` checkpoint of a run.

    Raises:
        UserError: as `model_path`.
    """
    path = model_path(model)
    return checkpoint_file(path, which) if path.is_dir() else path


def _resolve(value: Path, info: ValidationInfo) -> Path:
    if not is_named(value):
        return resolve_path(value, info)
    if not (info.context or {}).get(STORED):  # a run can be opened without what made its data
        try:
            if is_embedded(value):
                find_model(str(value))
            else:
                repository(value.as_posix())
        except UserError as error:
            raise PydanticCustomError("unknown_model", str(error)) from None
    return value


ModelPath = Annotated[Path, AfterValidator(_resolve), KEEPS_VARIABLES, Outside("model")]
"""A model in a spec: a path like `skinfw.components.outside.SpecPath`, or a name like ``skinfw:NAME`` or
``hub:ORG/NAME@COMMIT``."""
