"""Checkpoints: self-describing safetensors files; nothing is pickled.

The metadata holds the filled spec, the versions of skinfw, the libraries and every plugin used, a hash of
the data, and the training progress.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import BaseModel, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save, save_file
from torch import Tensor

from skinfw.components.registry import installed
from skinfw.components.strict_model import MAX_ENTRIES
from skinfw.components.trust import Named, is_own, named_outside, reject_foreign, reject_links, sign
from skinfw.components.validation_errors import format_errors
from skinfw.errors import RunError, first_line, listed, shortened
from skinfw.runs.environment import providers, versions
from skinfw.runs.folder import Run
from skinfw.specs.spec import AnySpec, parse_spec
from skinfw.system.json_file import parse_json, replacing

KEY = "skinfw"

MAX_METADATA = 16 * 2**20
"""Maximum characters of the metadata."""

logger = logging.getLogger("skinfw")
_warned: set[str] = set()


Count = Annotated[int, Field(ge=0, le=10**12)]


@dataclass(frozen=True)
class Progress:
    """How far training went.

    Attributes:
        step: optimizer steps done.
        epoch: epochs done.
        batches: batches done in the current epoch.
        data: fingerprint of the data set.
        closed: whether everything due after this step is done: if it ended an epoch or the run, samples
            were shown and evaluated.
        processes: number of training processes.
        total_steps: optimizer steps of the whole run; None if unknown.
    """

    step: Count
    epoch: Count
    batches: Count
    data: str
    closed: bool = True
    processes: Annotated[int, Field(ge=1, le=10**6)] = 1
    total_steps: Count | None = None


def save_checkpoint(
    path: Path, tensors: Mapping[str, Tensor], spec: AnySpec, progress: Progress, **extra: Any
) -> None:
    """Write a checkpoint completely or not at all.

    Args:
        path: the safetensors file.
        tensors: the tensors by name; ``generator.…`` for the generator's state.
        spec: the filled spec.
        progress: how far training went.
        **extra: additional JSON values for the metadata.

    Raises:
        RunError: the disk is full or the path is not writable; the old file stays.
    """
    filled = spec.to_json()
    about = {
        "spec": filled,
        "components": providers(spec),
        "versions": versions(),
        "progress": vars(progress),
        "signature": sign(filled),
        **extra,
    }
    dense = separate(tensors)
    with replacing(path) as temporary:
        try:
            save_file(dense, temporary, metadata={KEY: json.dumps(about)})
        except SafetensorError as error:
            raise OSError(str(error)) from error


def separate(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors as safetensors needs them: on the CPU, in the default layout, without shared memory.

    Tied weights are written once per name. A network ties them when it is built, so they are tied again
    after loading. The memory format channels_last is restored on loading.
    """
    found: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        dense = tensor.detach().cpu().contiguous()
        place = dense.untyped_storage().data_ptr()
        found[name] = dense.clone() if place in seen else dense
        seen.add(place)
    return found


def savable(state: Mapping[str, Any]) -> str | None:
    """Return why a network's state cannot be saved, or None if it can.

    Args:
        state: its state dict.
    """
    for name, value in state.items():
        if not isinstance(value, Tensor):
            return f"{name} of the state dict has the type {type(value).__name__}, not a tensor"
        if value.layout != torch.strided or value.is_quantized or value.is_meta:
            return f"{name} of the state dict is not a dense tensor"
        try:
            save({name: value.detach().flatten()[:1].cpu()})
        except (SafetensorError, KeyError, ValueError) as error:
            return f"{name} of the state dict has the type {value.dtype}, which cannot be saved: {error}"
    return None


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was read.

    Attributes:
        path: the file.
        spec: the filled spec of its run.
        progress: how far training went.
        about: all metadata.
        tensors: everything in it by name.
        trusted: whether the user trained it, or trusts everything in its spec.
    """

    path: Path
    spec: AnySpec
    progress: Progress
    about: Mapping[str, Any]
    tensors: Mapping[str, Tensor]
    trusted: bool = False

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Return the tensors whose names start with ``prefix.``, by the rest of the name."""
        start = f"{prefix}."
        return {
            name.removeprefix(start): tensor
            for name, tensor in self.tensors.items()
            if name.startswith(start)
        }

    def weights(self, network: str) -> dict[str, Tensor]:
        """Return a network's weights for inference: their moving average, if the checkpoint has one.

        Args:
            network: its name in the prefix of its tensors' names.
        """
        return self.part(average_of(network)) or self.part(network)


def average_of(network: str) -> str:
    """Return the name in checkpoints of the moving average of a network's weights."""
    return f"{network}_average"


class _About(BaseModel):
    """The metadata of every checkpoint."""

    spec: dict[str, Any]
    components: dict[str, str] = Field(max_length=MAX_ENTRIES)
    versions: dict[str, str] = Field(max_length=MAX_ENTRIES)
    progress: Progress


def run_checkpoint(run: Run, which: str = "best") -> Checkpoint:
    """Read a checkpoint of a run; it is trusted as much as the run.

    Raises:
        RunError: as `read_checkpoint`.
        TrustError: somebody else trained the run, and a link leads out of its folder.
    """
    checkpoint = read_checkpoint(run.checkpoint(which))
    given = set(named_outside(run.spec, training=True)) if run.trust == "spec" else None
    if run.trust == "all" or (given is not None and given.issuperset(named_outside(checkpoint.spec))):
        return replace(checkpoint, trusted=True)
    if not checkpoint.trusted:
        reject_links(run.folder)
    return checkpoint


def reject_untrusted(checkpoint: Checkpoint, given: Collection[Named] = ()) -> None:
    """Reject a checkpoint whose spec names programs, paths or addresses, unless it is trusted.

    Args:
        checkpoint: the checkpoint.
        given: what the user named, and thereby allowed.

    Raises:
        TrustError: it names anything else and is not trusted.
    """
    if not checkpoint.trusted:
        named = [each for each in named_outside(checkpoint.spec) if each not in given]
        reject_foreign(named, str(checkpoint.path))


def read_checkpoint(path: Path, *, warn: bool = True) -> Checkpoint:
    """Read a checkpoint.

    Args:
        path: the file.
        warn: whether to warn if its components had other versions than the installed ones.

    Raises:
        RunError: it is missing, damaged, not a skinfw checkpoint, or needs a component that is not
            installed; the message names the component and its plugin.
        SpecError: its spec does not match the installed components.
    """
    if not path.is_file():
        raise RunError(f"{path}: no such checkpoint; has the run finished an epoch?")
    found, about, tensors = _read(path)
    _compare_providers(path, found.components, warn)
    spec = parse_spec(about["spec"], source=f"{path} (its spec)", stored=True)
    return Checkpoint(
        path, spec, found.progress, about, tensors, is_own(about["spec"], about.get("signature"))
    )


def _read(path: Path, *, with_tensors: bool = True) -> tuple[_About, dict[str, Any], dict[str, Tensor]]:
    """Return the metadata of a checkpoint, validated and raw, and its tensors."""
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(KEY)
            if text is None:
                raise ValueError("it has no skinfw metadata")
            if len(text) > MAX_METADATA:
                raise ValueError(f"its metadata is longer than {MAX_METADATA:,} characters")
            about = parse_json(text)
            # as JSON, so that nothing is converted
            found = _About.model_validate_json(text, strict=True)
            names = file.keys() if with_tensors else []
            return found, about, {name: file.get_tensor(name) for name in names}
    except ValidationError as error:
        errors = "; ".join(format_errors(error, about))
        raise RunError(
            f"{path}: not a readable skinfw checkpoint: its metadata is damaged: {errors}"
        ) from error
    except Exception as error:  # whatever safetensors and torch raise for a damaged file
        raise RunError(f"{path}: not a readable skinfw checkpoint: {first_line(error)}") from error


def read_progress(path: Path) -> Progress:
    """Read the training progress of a checkpoint, without its tensors.

    Raises:
        RunError: it is damaged, or not a skinfw checkpoint.
    """
    found, _, _ = _read(path, with_tensors=False)
    return found.progress


def _compare_providers(path: Path, components: Mapping[str, str], warn: bool) -> None:
    """Reject a checkpoint whose components are not installed, and warn about other versions."""
    entries = {f"{kind}/{name}": entry.provider for (kind, name), entry in installed().entries.items()}
    missing = [
        f"{key.replace('/', ' ')} of {who}" for key, who in sorted(components.items()) if key not in entries
    ]
    if missing:
        raise RunError(
            f"{path}: was made with {listed(missing)}, which is not installed; install it and try again"
        )
    changed = {who: entries[key] for key, who in components.items() if entries[key] != who}
    for was, now in changed.items():
        text = f"{path}: was made with {shortened(was, 200)}, and {now} is installed now; results may differ"
        if warn and text not in _warned:
            _warned.add(text)
            logger.warning("%s", text)
