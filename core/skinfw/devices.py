"""Where networks run."""

from __future__ import annotations

from typing import Literal

import torch


def pick_device(wanted: Literal["auto", "cpu"] = "auto") -> torch.device:
    """Return the accelerator where there is one and it is wanted, the CPU otherwise."""
    found = torch.accelerator.current_accelerator(check_available=True) if wanted == "auto" else None
    return found or torch.device("cpu")
