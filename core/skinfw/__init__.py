"""skinfw: paint the skin that the old clothes hid.

Importing the package is light; torch is imported when `Pipeline` or `run` is first used, or `ablate` called.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skinfw.ablation.ablate import ablate
    from skinfw.component_spec import use
    from skinfw.errors import SkinfwError
    from skinfw.hooks import hookimpl
    from skinfw.pipeline import Pipeline, run
    from skinfw.segmentation_spec import SegmentationSpec
    from skinfw.spec import Spec, load_spec

__all__ = [
    "Pipeline",
    "SegmentationSpec",
    "SkinfwError",
    "Spec",
    "ablate",
    "hookimpl",
    "load_spec",
    "run",
    "use",
]

_HOMES = {
    "Pipeline": "skinfw.pipeline",
    "SegmentationSpec": "skinfw.segmentation_spec",
    "SkinfwError": "skinfw.errors",
    "Spec": "skinfw.spec",
    "ablate": "skinfw.ablation.ablate",
    "hookimpl": "skinfw.hooks",
    "load_spec": "skinfw.spec",
    "run": "skinfw.pipeline",
    "use": "skinfw.component_spec",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'skinfw' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
