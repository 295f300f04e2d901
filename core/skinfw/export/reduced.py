"""Exporting a run as a checkpoint reduced to what use needs: for others, and small."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save
from torch import Tensor

from skinfw.components.relocate import spec_for_others, without_folders
from skinfw.components.trust import connections, named_outside
from skinfw.components.weights import file_sha256
from skinfw.errors import UserError
from skinfw.export.parity import compare_networks, compare_parser, labels_of, reject_difference
from skinfw.export.samples import readable, samples_of
from skinfw.inference.noise import fixed_noise
from skinfw.models.checkpoint_file import SUFFIX
from skinfw.runs.checkpoint_header import KEY
from skinfw.runs.checkpoint_networks import load_generator
from skinfw.runs.checkpoints import Checkpoint, read_checkpoint, reject_untrusted, separate
from skinfw.runs.trained import Trained, checkpoint_of
from skinfw.runtime.metadata import Parity
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.spec import Spec
from skinfw.system.existing import reject_existing
from skinfw.system.json_file import replacing
from skinfw.tasks.segmentation.label import load_network

KEPT = ("components", "versions", "progress", "classes", "aspects")
"""What is kept of a checkpoint's metadata, besides its spec."""

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Reduced:
    """A written checkpoint.

    Attributes:
        path: the file.
        parity: how it differs from the run's checkpoint.
        cost: what that costs against the ground truth, as a sentence; empty if unknown.
    """

    path: Path
    parity: Parity
    cost: str


def export_checkpoint(
    run: Trained,
    output: str | Path,
    *,
    which: Literal["best", "last"] = "best",
    half: bool = False,
    samples: str | Path | None = None,
    license_note: str | None = None,
    overwrite: bool = False,
) -> Reduced:
    """Write the network of a run as a checkpoint for others, after comparing it with the run's own.

    The file has the weights that inference uses, the classes or the shape of the samples, and the spec, in
    which paths are only their last part. It has no optimizer, no discriminator and no signature, and names
    nothing outside skinfw that use needs. The same run gives the same bytes.

    Args:
        run: the trained run, for inpainting or segmentation, or a checkpoint.
        output: the file to write.
        which: the best or the last checkpoint of a run.
        half: whether to store the weights as float16; they are read back as float32.
        samples: sample folders, or photos for a parser, to compare on; None for the test samples of the run.
        license_note: what users of the file must know about its license.
        overwrite: replace an existing file.

    Raises:
        UserError: the file's name has another suffix, or the network needs files that the checkpoint does not
            have.
        RunError: the file exists, or the run has no readable checkpoint.
        DataError: no sample can be read.
        SkinfwError: the reduced network differs too much from the checkpoint; nothing was written.
    """
    output = Path(output)
    if output.suffix != SUFFIX:
        raise UserError(f"{output}: a checkpoint ends in {SUFFIX}; name it so")
    reject_existing([output], overwrite=overwrite)
    checkpoint = checkpoint_of(run, which)
    if samples is None:
        reject_untrusted(checkpoint)
    part = "network" if isinstance(checkpoint.spec, SegmentationSpec) else "generator"
    _reject_needs(checkpoint, part)
    weights = {f"{part}.{name}": tensor for name, tensor in checkpoint.weights(part).items()}
    tensors = {name: stored(tensor, half) for name, tensor in weights.items()}
    about: dict[str, Any] = {
        "spec": spec_for_others(checkpoint.spec.to_json()),
        **without_folders({key: checkpoint.about[key] for key in KEPT if key in checkpoint.about}),
        "made_from": file_sha256(checkpoint.path),
        "license": license_note or "",
    }
    about["spec"]["$schema"] = None
    with connections(checkpoint.trusted), replacing(output) as temporary:
        _write(temporary, tensors, about)
        parity, cost = _compare(checkpoint, temporary, run, None if samples is None else Path(samples))
        reject_difference(parity, "float16" if half else "float32")
        _write(temporary, tensors, {**about, "parity": parity.model_dump(mode="json")})
    return Reduced(output, parity, cost)


def stored(tensor: Tensor, half: bool) -> Tensor:
    """Return a tensor as it is stored: float32 as float16, unless it has values beyond float16's range."""
    small = tensor.half() if half and tensor.dtype == torch.float32 else tensor
    return small if small.isfinite().all() else tensor


def _reject_needs(checkpoint: Checkpoint, part: str) -> None:
    named = named_outside(getattr(checkpoint.spec, part), f"$.{part}")
    if named:
        raise UserError(
            f"{checkpoint.path}: {named[0].place} names {named[0].value!r}, which users of the exported "
            "file do not have; export a network that needs only its own weights"
        )


def _write(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    path.write_bytes(save(separate(tensors), metadata={KEY: json.dumps(about, sort_keys=True)}))


def _compare(checkpoint: Checkpoint, path: Path, run: Trained, folder: Path | None) -> tuple[Parity, str]:
    """Compare a written file with the checkpoint at the training size; return also the cost."""
    reduced = read_checkpoint(path)
    spec = checkpoint.spec
    source = samples_of(run, spec, folder)
    samples = readable(source, source.test, spec.data.size)
    if isinstance(spec, Spec):
        ours, theirs = load_generator(reduced, _CPU), load_generator(checkpoint, _CPU)
        compared = compare_networks(
            ours, theirs, spec, fixed_noise(theirs, spec.data.size, spec.seed), samples
        )
        return compared.parity(), compared.cost()
    network, _ = load_network(reduced, _CPU)
    found = [labels_of(network, each) for each in samples]
    return compare_parser(found, load_network(checkpoint, _CPU)[0], samples), ""
