"""skinfw: inpaint the skin that the old clothes covered.

Importing the package is light; torch is imported on first use of `Pipeline`, `Inpainter`, `run` or `ablate`.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skinfw.ablation.ablate import ablate
    from skinfw.components.reference import use
    from skinfw.errors import SkinfwError
    from skinfw.hooks.specification import hookimpl
    from skinfw.inference.inpainter import Inpainter
    from skinfw.pipeline import Pipeline, run
    from skinfw.specs.segmentation_spec import SegmentationSpec
    from skinfw.specs.spec import Spec, load_spec

# from its import on, ONNX Runtime reports its use over the network
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = [
    "Inpainter",
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
    "Inpainter": "skinfw.inference.inpainter",
    "Pipeline": "skinfw.pipeline",
    "SegmentationSpec": "skinfw.specs.segmentation_spec",
    "SkinfwError": "skinfw.errors",
    "Spec": "skinfw.specs.spec",
    "ablate": "skinfw.ablation.ablate",
    "hookimpl": "skinfw.hooks.specification",
    "load_spec": "skinfw.specs.spec",
    "run": "skinfw.pipeline",
    "use": "skinfw.components.reference",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'skinfw' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
