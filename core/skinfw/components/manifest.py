"""Manifests: what a package says about its components. Light: pydantic only."""

from __future__ import annotations

import importlib.util
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from skinfw.components.strict_model import StrictModel
from skinfw.components.validation_errors import plain
from skinfw.errors import MAX_LISTED
from skinfw.system.regular_file import read_regular

MANIFEST = "registry.toml"
INTERFACE = 1
"""Version of the interfaces that plugins implement; it increases when plugins stop working."""

MAX_MANIFEST_BYTES = 2**20
_TARGET = r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$"


class Entry(StrictModel):
    """One component in a manifest."""

    kind: str = Field(description="the interface that it implements")
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="its name in a spec")
    target: str = Field(pattern=_TARGET, description="module:Class of the component")
    config: str = Field(pattern=_TARGET, description="module:Class of its configuration")
    summary: str = Field(min_length=1, description="one line for listings")
    label: str = Field(default="", description="its name in reports, such as MS-SSIM; by default the name")
    extra: str = Field(default="", description="the pip extra it needs, if any")
    default_for: Literal[
        "",
        "dataset",
        "inputs",
        "metrics",
        "baselines",
        "alpha_metrics",
        "alpha_baselines",
        "segmenter",
        "pose_encoder",
        "segmentation_augmentations",
        "segmentation_losses",
        "sample_folders",
        "photos_without_label_maps",
        "photos_without_poses",
    ] = Field(
        default="",
        description="the spec field that holds this component by default; sample_folders: what reads "
        "folders of samples; photos_without_...: what skinfw init proposes for such photos",
    )
    provider: str = Field(default="", description="distribution and version, set by the reader")


def _entry(number: int, row: dict[str, Any], provider: str) -> Entry:
    try:
        return Entry.model_validate({**row, "provider": provider})
    except ValidationError as error:
        found = error.errors()[:MAX_LISTED]
        errors = [f"{'.'.join(map(str, item['loc']))}: {plain(item['msg'])}" for item in found]
        raise ValueError(f"[[component]] number {number}: {'; '.join(errors)}") from None


class NewerInterfaceError(ValueError):
    """A manifest that was written for a later version of the interfaces."""


def read_manifest(text: str, provider: str) -> list[Entry]:
    """Return the components of a manifest.

    Args:
        text: the manifest as TOML.
        provider: the distribution (or file) that provides it.

    Raises:
        NewerInterfaceError: it was written for interfaces that this version of skinfw does not know.
        ValueError: it is not TOML, or a component is invalid; the message says which.
    """
    try:
        rows = tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    interface = rows.get("interface", INTERFACE)
    if type(interface) is not int or interface < 1:
        raise ValueError(f"interface must be a number from 1, for instance {INTERFACE}")
    if interface > INTERFACE:  # what else it holds may have another form
        raise NewerInterfaceError(
            f"not loaded, as it was written for interface {interface} and this version of skinfw has "
            f"interface {INTERFACE}; update skinfw"
        )
    unknown = sorted(set(rows) - {"component", "interface"})
    if unknown:
        raise ValueError(f"unknown table {unknown[0]!r}; only [[component]] is known")
    components = rows.get("component")
    if not (isinstance(components, list) and all(isinstance(row, dict) for row in components)):
        raise ValueError("it has no [[component]]")
    return [_entry(number, row, provider) for number, row in enumerate(components, start=1)]


def package_manifest(entry_point: metadata.EntryPoint) -> Path:
    """Return the path of the manifest in the package that an entry point names, without importing it.

    Raises:
        ValueError: it names something else than an installed top-level package with a manifest.
    """
    if not entry_point.value.isidentifier():  # finding a subpackage would import its parent
        raise ValueError(f"entry point {entry_point.name!r} must name a top-level package")
    spec = importlib.util.find_spec(entry_point.value)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"entry point {entry_point.name!r} names an unknown package {entry_point.value!r}")
    path = Path(next(iter(spec.submodule_search_locations)), MANIFEST)
    if not path.is_file():
        raise ValueError(f"{path} is missing")
    return path


def manifest_text(path: Path) -> str:
    """Return the text of a manifest file.

    Raises:
        OSError: it cannot be read, or is too large.
        UnicodeDecodeError: it is not UTF-8.
    """
    return read_regular(path, MAX_MANIFEST_BYTES).decode("utf-8")
