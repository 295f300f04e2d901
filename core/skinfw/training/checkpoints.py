"""Checkpoints: safetensors that describe themselves; nothing is pickled.

The metadata hold the filled spec, the versions of skinfw, the libraries and every plugin used, a hash of
the data, and how far training went.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save, save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from skinfw.assemble import build_generator
from skinfw.environment import providers, versions
from skinfw.errors import RunError
from skinfw.interfaces import Generator
from skinfw.jsonfile import replacing
from skinfw.registry import installed
from skinfw.spec import AnySpec, painting_spec, parse_spec

KEY = "skinfw"

NetworkT = TypeVar("NetworkT", bound=nn.Module)


@dataclass(frozen=True)
class Progress:
    """How far training went.

    Attributes:
        step: optimiser steps done.
        epoch: epochs that are done.
        batches: batches done in the epoch that is under way.
        data: fingerprint of the data set.
        closed: whether nothing but training is left to do after this step: where an epoch or the run ended
            with it, samples were shown and measured.
        processes: how many processes trained.
        total_steps: optimizer steps of the whole run; None where nobody says.
    """

    step: int
    epoch: int
    batches: int
    data: str
    closed: bool = True
    processes: int = 1
    total_steps: int | None = None


def save_checkpoint(
    path: Path, tensors: Mapping[str, Tensor], spec: AnySpec, progress: Progress, **extra: Any
) -> None:
    """Write a checkpoint whole or not at all.

    Args:
        path: the safetensors file.
        tensors: what to keep, by name; ``generator.…`` for the generator's state.
        spec: the filled spec.
        progress: how far training went.
        **extra: more values for the metadata, as JSON.

    Raises:
        RunError: the disk is full or the place is not writable; the old file is left.
    """
    about = {
        "spec": spec.to_json(),
        "components": providers(spec),
        "versions": versions(),
        "progress": vars(progress),
        **extra,
    }
    dense = separate(tensors)
    with replacing(path) as temporary:
        try:
            save_file(dense, temporary, metadata={KEY: json.dumps(about)})
        except SafetensorError as error:
            raise OSError(str(error)) from error


def separate(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors as safetensors holds them: on the CPU, in the default layout, none in another's memory.

    Tied weights are written once for each name. A network ties them when it is built, so they are tied when
    they are loaded. The memory format channels_last is restored when loading.
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
            return f"{name} of the state dict is of the type {type(value).__name__}, not a tensor"
        if value.layout != torch.strided or value.is_quantized or value.is_meta:
            return f"{name} of the state dict is not a dense tensor"
        try:
            save({name: value.detach().flatten()[:1].cpu()})
        except (SafetensorError, KeyError, ValueError) as error:
            return f"{name} of the state dict is of the type {value.dtype}, which cannot be saved: {error}"
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
    """

    path: Path
    spec: AnySpec
    progress: Progress
    about: Mapping[str, Any]
    tensors: Mapping[str, Tensor]

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Return the tensors below ``prefix.``, by the rest of their names."""
        start = f"{prefix}."
        return {
            name.removeprefix(start): tensor
            for name, tensor in self.tensors.items()
            if name.startswith(start)
        }


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        RunError: it is missing, damaged, no checkpoint of skinfw, or made with a component that is not
            installed; the component and its plugin are named.
    """
    if not path.is_file():
        raise RunError(f"{path}: no such checkpoint; has the run finished an epoch?")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        about = json.loads(metadata[KEY])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise RunError(f"{path}: no readable skinfw checkpoint: {error}") from error
    _refuse_missing_plugins(path, about["components"])
    spec = parse_spec(about["spec"], source=f"{path} (its spec)")
    return Checkpoint(path, spec, Progress(**about["progress"]), about, tensors)


def read_progress(path: Path) -> Progress:
    """Read how far training was at a checkpoint; its tensors are not read.

    Raises:
        RunError: it is damaged, or not a checkpoint of skinfw.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return Progress(**json.loads((file.metadata() or {})[KEY])["progress"])
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise RunError(f"{path}: no readable skinfw checkpoint: {error}") from error


def _refuse_missing_plugins(path: Path, components: Mapping[str, str]) -> None:
    known = {f"{kind}/{name}" for kind, name in installed().entries}
    missing = {key: provider for key, provider in components.items() if key not in known}
    if missing:
        told = ", ".join(f"{key.replace('/', ' ')} of {who}" for key, who in sorted(missing.items()))
        raise RunError(f"{path}: was made with {told}, which is not installed; install it and try again")


def load_generator(checkpoint: Checkpoint, device: torch.device) -> Generator[Any]:
    """Build the generator of a checkpoint with its weights, in evaluation mode.

    Raises:
        RunError: the weights do not fit the network that its spec describes, or it is no painting spec.
    """
    generator = build_generator(painting_spec(checkpoint.spec, checkpoint.path))
    return with_weights(generator, checkpoint, "generator", device)


def with_weights(network: NetworkT, checkpoint: Checkpoint, part: str, device: torch.device) -> NetworkT:
    """Return a network with a checkpoint's weights, on a device and in evaluation mode.

    Raises:
        RunError: the weights do not fit the network.
    """
    try:
        network.load_state_dict(checkpoint.part(part))
    except RuntimeError as error:
        raise RunError(f"{checkpoint.path}: its weights do not fit its spec: {error}") from error
    return network.to(device).to(memory_format=torch.channels_last).eval()


def optimizer_tensors(prefix: str, optimizer: Optimizer) -> dict[str, Tensor]:
    """Return an optimiser's state as tensors by name."""
    return {
        f"{prefix}.{index}.{key}": value
        for index, entry in optimizer.state_dict()["state"].items()
        for key, value in entry.items()
    }


def load_optimizer(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put the state that `optimizer_tensors` gave back into an optimiser."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, _, key = name.partition(".")
        parameter = parameters[int(index)]
        if tensor.shape == parameter.shape:
            # a fused step walks through memory: the state must lie there as its parameter does
            tensor = torch.empty_like(parameter).copy_(tensor)
        state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
