"""Where networks run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch


def pick_device(wanted: Literal["auto", "cpu"] = "auto") -> torch.device:
    """Return the accelerator if there is one and it is wanted, otherwise the CPU."""
    found = torch.accelerator.current_accelerator(check_available=True) if wanted == "auto" else None
    return found or torch.device("cpu")


def processes(wanted: Literal["auto", "cpu"] | None = None) -> int | None:
    """Return the number of processes with a network each: 1 on an accelerator, which has room for one.

    Args:
        wanted: where the networks run; None for auto.

    Returns:
        None on the CPU: one per core.
    """
    return None if pick_device(wanted or "auto").type == "cpu" else 1


@contextmanager
def cuda_arithmetic(device: torch.device, *, tf32: bool, benchmark: bool) -> Iterator[None]:
    """Set how CUDA computes products in the with block; changes nothing for other devices.

    Args:
        device: the device that computes.
        tf32: round the factors of float32 products to TF32, in matrix products and convolutions.
        benchmark: let cuDNN time its ways to compute each convolution and use the fastest.
    """
    if device.type != "cuda":
        yield
        return
    products, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = products.allow_tf32, cudnn.allow_tf32, cudnn.benchmark
    try:
        products.allow_tf32, cudnn.allow_tf32, cudnn.benchmark = tf32, tf32, benchmark
        yield
    finally:
        products.allow_tf32, cudnn.allow_tf32, cudnn.benchmark = before


@contextmanager
def cpu_threads(count: int | None) -> Iterator[None]:
    """Limit torch to this many CPU threads in the with block; None changes nothing."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def device_name(device: torch.device) -> str:
    """Return the name of a device for records: ``cpu``, or ``cuda`` with that of the card."""
    return f"{device.type} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else device.type
