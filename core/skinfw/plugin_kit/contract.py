"""Runs the contract check of a kind with arguments that fit a component."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from skinfw.components.config import ComponentConfig, Size
from skinfw.data.image_formats import IMAGE_SUFFIXES
from skinfw.data.photo import Photo
from skinfw.plugin_kit.drawn_photos import drawn_photo
from skinfw.specs.spec import AnySpec, Spec
from skinfw.testing import check_config, example_parts
from skinfw.testing.contracts import CONTRACTS

SIZES: tuple[Size, ...] = ((128, 96), (128, 256), (256, 512), (64, 64), (128, 128), (256, 256), (512, 512))
"""Heights and widths to try with a network that does not accept those of its check."""


class NotCheckableError(Exception):
    """A component that cannot be checked without something that only its author has."""


def run_contract(kind: str, component: type[Any], config: ComponentConfig, spec: AnySpec | None) -> None:
    """Check a component against the contract of its kind.

    Args:
        kind: the interface that it implements.
        component: its class.
        config: its configuration.
        spec: the plugin's spec, which says what the component works on; None if it has none.

    Raises:
        AssertionError: the contract is violated; the message says how.
        NotCheckableError: the check needs something else; the message says what.
    """
    check_config(config)
    CONTRACTS[kind](component, config, **_arguments(kind, component, config, spec))


def _arguments(
    kind: str, component: type[Any], config: ComponentConfig, spec: AnySpec | None
) -> dict[str, Any]:
    if kind in ("segmenter", "pose_encoder"):
        return {"photo": _photo(spec)}
    if kind == "dataset" and isinstance(spec, Spec):
        return {"inputs": spec.data.input_names}
    if kind == "input" and component(config, None).read(example_parts((64, 48))) is None:
        raise NotCheckableError(f"a drawn person lacks what it reads ({component.missing})")
    if hasattr(config, "size_requirement"):
        default: Size = inspect.signature(CONTRACTS[kind]).parameters["size"].default
        sizes = (default, *SIZES, *([spec.data.size] if spec else []))
        fitting = [size for size in sizes if config.size_requirement(size).error(size) is None]
        if not fitting:
            raise NotCheckableError("it accepts none of the sizes of the check")
        return {"size": fitting[0]}
    return {}


def _photo(spec: AnySpec | None) -> Photo:
    """Return the first photo of the spec's data set, or a drawn person."""
    root = getattr(spec.data.dataset.config, "root", None) if isinstance(spec, Spec) else None
    if isinstance(root, Path) and root.is_dir():
        for path in sorted(root.rglob("*")):
            if path.suffix.lower() in IMAGE_SUFFIXES:
                return Photo.read(path)
    return drawn_photo()
