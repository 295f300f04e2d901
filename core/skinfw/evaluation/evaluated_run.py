"""The results of one run, read from its folder. Light: no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from skinfw.errors import RunError
from skinfw.evaluation.comparable import EvaluatedRun
from skinfw.evaluation.results import Evaluation
from skinfw.runs.folder import spec_file
from skinfw.system.json_file import read_json


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Return the leaves of a JSON value by dotted path; a list of plain values is a leaf.

    So is a list of components without parameters: of their names.
    """
    if isinstance(value, list):
        names = [each["type"] if isinstance(each, dict) and [*each] == ["type"] else each for each in value]
        if not any(isinstance(each, dict | list) for each in names):
            return {path: names}
    if isinstance(value, dict) and value:
        pairs = [(f"{path}.{key}" if path else key, each) for key, each in value.items()]
    elif isinstance(value, list):
        pairs = [(f"{path}.{index}", each) for index, each in enumerate(value)]
    else:
        return {path: value}
    return {key: leaf for name, each in pairs for key, leaf in flat(each, name).items()}


class _Measured(BaseModel):
    which: str
    sha256: str


class _Length(BaseModel):
    step: int
    total_steps: int | None
    epochs: int | None
    steps: int | None


class _Record(BaseModel):
    """The content of metrics.json."""

    checkpoint: _Measured
    training: _Length
    data: str
    versions: dict[str, str] = {}
    test: dict[str, Any]


def read_evaluated_run(folder: Path, label: str) -> EvaluatedRun:
    """Read the results of one run, or those on other data; its plugins need not be installed.

    Raises:
        RunError: the folder is not a run, or was not measured.
    """
    path = folder / "metrics.json"
    # results on other data have no spec.json next to them
    spec = None if path.is_file() and not (folder / "spec.json").exists() else spec_file(folder)
    if not path.is_file():
        raise RunError(f"{folder}: has no metrics.json; measure it first: skinfw evaluate {folder}")
    record = read_json(path, file_names=True)
    try:
        _Record.model_validate(record)
        measured, training = record["checkpoint"], record["training"]
        return EvaluatedRun(
            label=label,
            checkpoint=measured["which"],
            sha256=measured["sha256"],
            data=record["data"],
            evaluation=Evaluation.from_json(record["test"]),
            spec=flat(record["spec"] if spec is None else read_json(spec)),
            steps=training["step"],
            total_steps=training["total_steps"],
            length={key: training[key] for key in ("epochs", "steps")},
            versions=record.get("versions", {}),
        )
    except (LookupError, TypeError, ValueError) as error:
        raise RunError(
            f"{path}: does not contain the results of a run; measure it again: skinfw evaluate {folder}"
        ) from error
