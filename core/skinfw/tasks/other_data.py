"""Data that a run is evaluated on instead of its own: a folder, or a description in JSON."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from skinfw.components.config import DatasetConfig
from skinfw.components.reference import ComponentSpec, read_reference, use
from skinfw.components.registry import installed
from skinfw.components.relocate import relocated
from skinfw.components.trust import Named, named_outside
from skinfw.components.validation_errors import spec_error
from skinfw.data.sample_search import all_samples
from skinfw.errors import DataError, SpecError, UserError
from skinfw.specs.segmentation_spec import SegmentationData, SegmentationSpec
from skinfw.specs.spec import AnySpec, Spec
from skinfw.system.json_file import parse_json, read_json

GivenData = str | Path | Mapping[str, Any] | ComponentSpec
"""A folder or file, a JSON file, JSON as text, or its value."""

_LABELED = ("root", "labels", "classes")
"""Fields of a segmentation spec's data that other data may set."""


@dataclass(frozen=True)
class OtherData:
    """Data that the user gave for an evaluation.

    Attributes:
        label: what messages and results call them.
        name: a name for their folder of results.
        spec: the run's spec with these data.
        given: the places in it that the user named, and thereby allowed.
    """

    label: str
    name: str
    spec: AnySpec
    given: tuple[Named, ...]


def other_data(spec: AnySpec, data: GivenData) -> OtherData:
    """Return a run's spec with other data.

    Args:
        spec: the run's spec.
        data: a folder of samples or photos, or whatever else the run's own data set reads; a JSON file, JSON
            text or its value: for inpainting a data set as under ``data.dataset``, for segmentation an object
            with ``root`` and, if they differ, ``labels`` and ``classes``.

    Raises:
        DataError: the folder or file does not exist.
        SpecError: the JSON is invalid.
        UserError: the run's data set is not read from a folder.
    """
    if isinstance(data, ComponentSpec):
        return _described(spec, data, Path.cwd(), "data", "")
    if isinstance(data, Mapping):
        return _described(spec, dict(data), Path.cwd(), "data", "")
    text = str(data)
    if text.lstrip().startswith("{"):
        try:
            return _described(spec, parse_json(text), Path.cwd(), "data", "")
        except ValueError as error:
            raise SpecError("data", [f"not valid JSON: {error}"]) from None
    path = Path(os.path.normpath(Path(text).expanduser().absolute()))
    if path.suffix.lower() == ".json" and path.is_file():
        return _described(spec, read_json(path), path.parent, str(path), path.stem)
    if not path.exists() and not has_magic(text):
        raise DataError(f"{text}: no such folder or file; give a folder of samples or photos, or JSON")
    return _in_folder(spec, path)


def _in_folder(spec: AnySpec, root: Path) -> OtherData:
    if isinstance(spec, SegmentationSpec):
        data = relocated(spec.data, spec.data.root, root)
        changed: AnySpec = spec.model_copy(update={"data": data})
    else:
        changed = _with_dataset(spec, _dataset_in(spec, root))
    named = named_outside(changed)
    given = tuple(each for each in named if each.kind == "path" and _is_below(each.value, root))
    return OtherData(str(root), _folder_name(root.name), changed, given)


def _is_below(path: str, root: Path) -> bool:
    return Path(os.path.normpath(path)).is_relative_to(root)


def _dataset_in(spec: Spec, root: Path) -> ComponentSpec:
    """Return the data set that reads a folder: the one of samples if it holds samples, else the run's own."""
    own = spec.data.dataset
    for name in installed().defaults("sample_folders"):
        if name != own.name and _holds_samples(root):
            return use("dataset", name, root=root)
    config = own.config.elsewhere(root) if isinstance(own.config, DatasetConfig) else None
    if config is None:
        raise UserError(
            f"{root}: holds no samples, and the run's data set {own.name!r} is not read from a folder; "
            'describe the data in JSON: {"type": NAME, ...}'
        )
    return ComponentSpec(own.kind, own.name, config)


def _holds_samples(root: Path) -> bool:
    try:
        return bool(all_samples(root)[1])
    except DataError:
        return False


def _described(spec: AnySpec, value: Any, folder: Path, source: str, name: str) -> OtherData:
    try:
        if isinstance(spec, SegmentationSpec):
            return _labeled(spec, value, folder, source, name)
        dataset = read_reference("dataset", value, folder)
    except ValidationError as error:
        raise spec_error(source, error, value) from None
    given = tuple(named_outside(dataset, "$.data.dataset"))
    root = getattr(dataset.config, "root", None)
    label = str(root or dataset.name)
    return OtherData(label, _folder_name(name or Path(label).name), _with_dataset(spec, dataset), given)


def _labeled(spec: SegmentationSpec, value: Any, folder: Path, source: str, name: str) -> OtherData:
    if not isinstance(value, dict) or "root" not in value:
        raise SpecError(source, ["$: expected an object with root and, if they differ, labels and classes"])
    extra = [key for key in value if key not in _LABELED]
    if extra:
        raise SpecError(source, [f"$.{extra[0]}: unknown field (allowed: {', '.join(_LABELED)})"])
    read = SegmentationData.model_validate({**value, "size": spec.data.size}, context={"folder": folder})
    fields = {key: getattr(read, key) for key in value}
    data = spec.data.model_copy(update=fields)
    given = tuple(each for key in value for each in named_outside(getattr(data, key), f"$.data.{key}"))
    given += tuple(each for each in named_outside(data, "$.data") if each.place == "$.data.root")
    changed = spec.model_copy(update={"data": data})
    return OtherData(str(read.root), _folder_name(name or read.root.name), changed, given)


def _with_dataset(spec: Spec, dataset: ComponentSpec) -> Spec:
    return spec.model_copy(update={"data": spec.data.model_copy(update={"dataset": dataset})})


def _folder_name(name: str) -> str:
    """Return a name without the characters of a pattern, not hidden and never empty."""
    return re.sub(r"[^\w.-]+", "_", name).lstrip(".") or "data"
