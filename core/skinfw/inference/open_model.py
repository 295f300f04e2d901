"""Opening what photos are painted with: a run folder, a checkpoint, an exported file, or a model by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from skinfw.components.reference import ComponentSpec
from skinfw.components.trust import named_outside, reject_foreign
from skinfw.errors import RunError
from skinfw.inference.painting_model import PaintingModel
from skinfw.inference.sample_images import exported_spec
from skinfw.models.checkpoint_file import SUFFIX
from skinfw.models.embedded import is_embedded
from skinfw.models.named import is_named
from skinfw.runtime.onnx_model import OnnxModel
from skinfw.specs.spec import Spec, inpainting_spec


@dataclass(frozen=True)
class OpenModel:
    """A model and what its spec says.

    Attributes:
        network: the network.
        spec: the spec of its run.
        trusted: whether programs, paths and addresses in the spec may be used.
        path: the file.
        name: names it in reports: ``skinfw:NAME``, or the name of the folder or file without its place.
        embedded: whether it is part of the package.
    """

    network: PaintingModel
    spec: Spec
    trusted: bool
    path: Path
    name: str = ""
    embedded: bool = False


def open_model(
    path: Path, which: Literal["best", "last"], device: Literal["auto", "cpu"] | None, *, trust: bool
) -> OpenModel:
    """Open a run folder, a checkpoint, an exported file, or a model by name.

    Args:
        path: the folder or file, or a name like ``skinfw:NAME``.
        which: the best or the last checkpoint of a run.
        device: where the network runs; None for that of its spec, and for exported files any that fits.
        trust: allow the programs, paths and addresses in the spec of a run that somebody else trained.

    Raises:
        RunError: it is none of them, has no readable checkpoint, or is not for inpainting.
        TrustError: somebody else trained it, and its generator names programs, paths or addresses.
        UserError: an exported file needs onnxruntime, or cannot be loaded.
    """
    if is_exported(path):
        exported = OnnxModel(path, device=device or "auto")
        return OpenModel(exported, exported_spec(exported, trust=trust), trust, path, path.name)
    # only checkpoints need torch
    from skinfw.inference.checkpoint_model import CheckpointModel
    from skinfw.runs.trained import checkpoint_of, open_run_or_checkpoint
    from skinfw.system.devices import pick_device

    if not is_named(path) and not path.is_dir():
        if not path.exists():
            raise RunError(f"{path}: no such run folder, checkpoint or .onnx file; check the path")
        if path.suffix != SUFFIX:
            raise RunError(f"{path}: not a model; give a run folder, a {SUFFIX} checkpoint or an .onnx file")
    found = checkpoint_of(open_run_or_checkpoint(path, which, trust=trust), which)
    spec = inpainting_spec(found.spec, found.path)
    network = CheckpointModel(found, pick_device(device or spec.training.device))
    name = str(path) if is_named(path) else path.absolute().name
    return OpenModel(network, spec, found.trusted, found.path, name, is_embedded(path))


def is_exported(path: Path) -> bool:
    """Return whether a model is an exported .onnx file."""
    return path.suffix == ".onnx" and not path.is_dir()


def named_component(kind: str, model: OpenModel) -> ComponentSpec | None:
    """Return the component of a kind in the data set of a model's spec; None if it names none.

    Args:
        kind: the interface that it implements.
        model: the model.

    Raises:
        TrustError: it names programs, paths or addresses, and is not trusted.
    """
    for name, field in vars(model.spec.data.dataset.config).items():
        if isinstance(field, ComponentSpec) and field.kind == kind:
            if not model.trusted:
                reject_foreign(named_outside(field, f"$.data.dataset.{name}"), str(model.path))
            return field
    return None
