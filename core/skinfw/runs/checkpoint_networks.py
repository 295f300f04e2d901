"""Networks and optimizers with the state of a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from skinfw.assembly.assemble import build_generator
from skinfw.assembly.without_data import without_data
from skinfw.components.reference import ComponentSpec
from skinfw.components.trust import connections, named_outside, reject_foreign
from skinfw.errors import RunError, SkinfwError, first_line, listed
from skinfw.interfaces import Generator
from skinfw.runs.checkpoints import Checkpoint
from skinfw.specs.spec import inpainting_spec

NetworkT = TypeVar("NetworkT", bound=nn.Module)


def load_generator(checkpoint: Checkpoint, device: torch.device) -> Generator[Any]:
    """Build the generator of a checkpoint with its weights, in evaluation mode.

    Raises:
        RunError: the weights do not fit the network in its spec, or the spec is not for inpainting.
        TrustError: the generator names programs, paths or addresses, and the checkpoint is not trusted.
    """
    spec = inpainting_spec(checkpoint.spec, checkpoint.path)
    return load_part(checkpoint, "generator", spec.generator, lambda: build_generator(spec), device)


def load_part(
    checkpoint: Checkpoint,
    part: str,
    component: ComponentSpec,
    build: Callable[[], NetworkT],
    device: torch.device,
) -> NetworkT:
    """Build a network with a checkpoint's weights for inference, on a device and in evaluation mode.

    Args:
        checkpoint: the checkpoint.
        part: the network's name in the spec and in the prefix of its tensors' names.
        component: the network in the spec.
        build: builds the network.
        device: the device for the network.

    Raises:
        RunError: the weights do not fit the network.
        TrustError: it names programs, paths or addresses, and the checkpoint is not trusted.
    """
    if not checkpoint.trusted:
        reject_foreign(named_outside(component, f"$.{part}"), str(checkpoint.path))
    weights = checkpoint.weights(part)
    with connections(checkpoint.trusted):
        # first without data: a spec can describe a network that fills the memory
        _reject_other_tensors(checkpoint, _tensors_of(build), weights)
        network = build()
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise RunError(f"{checkpoint.path}: its weights do not fit its spec: {first_line(error)}") from error
    return network.to(device).to(memory_format=torch.channels_last).eval()


def _tensors_of(build: Callable[[], nn.Module]) -> Mapping[str, Tensor] | None:
    """Return the tensors of a network without data; None if it cannot be built that way."""
    try:
        with without_data():
            return build().state_dict()
    except SkinfwError:
        raise
    except Exception:  # a component may compute with its weights while it is built
        return None


def _reject_other_tensors(
    checkpoint: Checkpoint, wanted: Mapping[str, Tensor] | None, found: Mapping[str, Tensor]
) -> None:
    if wanted is None:
        return
    errors = [f"{name} is missing" for name in wanted if name not in found]
    errors += [f"{name} is unknown" for name in found if name not in wanted]
    for name in wanted.keys() & found.keys():
        was, now = found[name], wanted[name]
        if was.shape != now.shape:
            errors.append(f"{name} has the shape {tuple(was.shape)}, not {tuple(now.shape)}")
        elif was.is_floating_point() != now.is_floating_point() or was.is_complex() != now.is_complex():
            errors.append(f"{name} has the type {was.dtype}, not {now.dtype}")
    if errors:
        mismatches = listed(sorted(errors), 3)
        raise RunError(f"{checkpoint.path}: its weights do not fit its spec: {mismatches}")


def optimizer_tensors(prefix: str, optimizer: Optimizer) -> dict[str, Tensor]:
    """Return an optimizer's state as tensors by name."""
    return {
        f"{prefix}.{index}.{key}": value
        for index, entry in optimizer.state_dict()["state"].items()
        for key, value in entry.items()
    }


def load_optimizer(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Load the state from `optimizer_tensors` into an optimizer."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, _, key = name.partition(".")
        parameter = parameters[int(index)]
        if tensor.shape == parameter.shape:
            # a fused step needs the state in the same memory layout as its parameter
            tensor = torch.empty_like(parameter).copy_(tensor)
        state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
