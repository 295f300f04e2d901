"""Checks that generators, discriminators and segmentation networks share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from skinfw.components.config import Size, SizeRequirement
from skinfw.runs.checkpoints import savable, separate
from skinfw.testing._require import require, require_close, require_finite

NetworkT = TypeVar("NetworkT", bound=nn.Module)

TOLERANCE = 1e-4
"""Tolerance for float32 results that differ only in the order of additions."""


def seeded(build: Callable[[], NetworkT], seed: int) -> NetworkT:
    """Build a network with a seed, without changing the caller's random state."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def check_same_seed(build: Callable[[], nn.Module]) -> None:
    """Require that two networks built with the same seed have the same state."""
    one, other = (seeded(build, 0).state_dict() for _ in range(2))
    error = savable(one)
    require(error is None, f"no checkpoint can be written: {error}")
    require(one.keys() == other.keys(), "two networks with the same configuration have different state dicts")
    for name, tensor in one.items():
        require(torch.equal(tensor, other[name]), f"{name} differs between two builds with the same seed")


def check_reload(build: Callable[[], nn.Module], run: Callable[[nn.Module], Tensor]) -> None:
    """Require that loading a network's checkpoint into another one makes them equal."""
    first, second = seeded(build, 0).eval(), seeded(build, 1).eval()
    # as in a checkpoint: weights that share memory are written separately
    state = load(save(separate(first.state_dict())))
    second.load_state_dict(state)
    for name, tensor in second.state_dict().items():
        require(
            torch.equal(tensor, first.state_dict()[name]),
            f"{name} changes when a checkpoint is written and loaded; does it share memory with "
            "other weights in one network but not in another?",
        )
    with torch.no_grad():
        require(
            torch.equal(run(first), run(second)),
            "output differs after loading the state dict into another network with the same configuration",
        )


def check_gradients(network: nn.Module, loss: Tensor) -> None:
    """Require that a loss gives every trainable parameter a finite gradient."""
    torch.autograd.backward(loss)
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        require(parameter.grad is not None, f"{name} gets no gradient; freeze it or use it")
        if parameter.grad is not None:
            require_finite(parameter.grad, f"the gradient of {name}")


def check_layouts(run: Callable[[torch.memory_format], Tensor]) -> list[Tensor]:
    """Require the same result for channels-last tensors, and finite results under half-precision autocast.

    Returns:
        the results under autocast to bfloat16 and to float16.
    """
    halves = []
    with torch.no_grad():
        plain = run(torch.contiguous_format)
        require_close(run(torch.channels_last), plain, TOLERANCE, "output for channels-last tensors")
        for precision, name in ((torch.bfloat16, "bfloat16"), (torch.float16, "float16")):
            with torch.autocast("cpu", precision):
                half = run(torch.contiguous_format)
            require(half.shape == plain.shape, f"output under {name} autocast has another shape")
            require_finite(half, f"output under {name} autocast")
            halves.append(half)
    return halves


def smallest_size(requirement: SizeRequirement) -> Size:
    """Return the smallest height and width that a requirement accepts.

    The width is one step larger than the height, except for a fixed-size network.
    """
    if requirement.exactly is not None:
        return requirement.exactly
    step = requirement.multiple_of
    height = -(-requirement.minimum // step) * step
    return height, height + step


@contextmanager
def accepting(size: Size) -> Iterator[None]:
    """Turn errors of a network for a size that it should accept into a failed check."""
    try:
        yield
    except AssertionError:
        raise
    except Exception as error:  # the message names the size for any error
        raise AssertionError(
            f"size_requirement accepts {size[0]}x{size[1]} pixels, but the network fails with it: "
            f"{type(error).__name__}: {error}"
        ) from error


def check_requirement(requirement: SizeRequirement, size: Size) -> None:
    """Require that a network accepts the size that it is built for."""
    error = requirement.error(size)
    require(error is None, f"size_requirement rejects the size of this check: {error}; give another size")
