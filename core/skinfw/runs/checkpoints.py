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
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save, save_file
from torch import Tensor

from skinfw.components.registry import installed
from skinfw.components.trust import Named, named_outside, reject_foreign, reject_links, sign
from skinfw.errors import RunError, listed, shortened
from skinfw.runs.checkpoint_header import KEY, Header, Progress, parse_header, unreadable
from skinfw.runs.environment import providers, versions
from skinfw.runs.folder import Run
from skinfw.specs.spec import AnySpec
from skinfw.system.json_file import replacing

logger = logging.getLogger("skinfw")
_warned: set[str] = set()


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
        raise RunError(f"{path}: no such checkpoint; {_instead_of(path)}")
    header, tensors = _read(path)
    _compare_providers(path, header.components, warn)
    return Checkpoint(path, header.parsed_spec(), header.progress, header.about, tensors, header.own)


def _instead_of(path: Path) -> str:
    """Return what to do about a checkpoint that is missing."""
    if path.with_name("last.safetensors").is_file():
        return (
            "the best one is chosen when the run first measures the validation samples; resume the run, or "
            "use last.safetensors: --checkpoint last"
        )
    return "has the run finished an epoch?"


def _read(path: Path) -> tuple[Header, dict[str, Tensor]]:
    """Return the metadata of a checkpoint and its tensors."""
    try:
        with safe_open(path, framework="pt") as file:
            header = parse_header(path, (file.metadata() or {}).get(KEY))
            names = file.keys()
            return header, {name: file.get_tensor(name) for name in names}
    except RunError:
        raise
    except Exception as error:  # whatever safetensors and torch raise for a damaged file
        raise unreadable(path, error) from error


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
