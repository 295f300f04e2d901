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


@contextmanager
def cpu_threads(count: int | None) -> Iterator[None]:
    """Limit torch to this many CPU threads in the with block; None changes nothing."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
