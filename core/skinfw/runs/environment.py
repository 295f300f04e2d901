"""The environment of a run: all versions, and the machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any

from skinfw.components.reference import ComponentSpec
from skinfw.components.registry import installed
from skinfw.specs.run_spec import RunSpec

LIBRARIES = (
    "skinfw",
    "torch",
    "torchvision",
    "torchmetrics",
    "torch-fidelity",
    "lpips",
    "kornia",
    "timm",
    "segmentation-models-pytorch",
    "accelerate",
    "numpy",
    "opencv-python-headless",
    "pillow",
)


def components_of(value: Any) -> list[ComponentSpec]:
    """Return every component in a spec or configuration, including nested ones."""
    if isinstance(value, ComponentSpec):
        return [value, *components_of(value.config)]
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, tuple | list | set | frozenset):
        return [found for item in value for found in components_of(item)]
    if hasattr(type(value), "model_fields"):
        return [found for name in type(value).model_fields for found in components_of(getattr(value, name))]
    return []


def providers(spec: RunSpec) -> dict[str, str]:
    """Return the provider of each component in a spec, by ``kind/name``."""
    registry = installed()
    return {
        f"{component.kind}/{component.name}": registry.entry(component.kind, component.name).provider
        for component in components_of(spec)
    }


def versions() -> dict[str, str]:
    """Return the versions of skinfw and of the libraries that affect its results."""
    found = {name: _version(name) for name in LIBRARIES}
    return {name: version for name, version in found.items() if version is not None}


@cache
def _version(library: str) -> str | None:
    """Return an installed version; cached, as every checkpoint stores it and reading takes milliseconds."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:  # opencv has several distributions; only one is installed
        return None


def environment(
    spec: RunSpec,
    hook_plugins: Mapping[str, str] | None = None,
    training: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the content of ``environment.json``.

    Args:
        spec: the filled spec.
        hook_plugins: names and versions of the distributions whose hooks observe the run.
        training: see `skinfw.training.accelerator.training_environment`.
    """
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "versions": versions(),
        "components": providers(spec),
        "hooks": dict(hook_plugins or {}),
        "training": dict(training or {}),
    }
