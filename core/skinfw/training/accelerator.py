"""The accelerator that training runs on."""

from __future__ import annotations

import os

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from skinfw.errors import RunError
from skinfw.specs.run_spec import LoopSpec
from skinfw.system.devices import device_name, pick_device


def make_accelerator(training: LoopSpec) -> Accelerator:
    """Return the accelerator for a training spec: device, precision, processes.

    Each process must see all accelerators of its machine, as torchrun and accelerate start them.

    Raises:
        RunError: this machine has fewer accelerators than processes of the run.
    """
    processes = int(os.environ.get("LOCAL_WORLD_SIZE") or 1)
    devices = torch.accelerator.device_count()
    if training.device == "auto" and 0 < devices < processes:
        raise RunError(
            f"{processes} processes of this run are on a machine with {devices} "
            f"accelerator{'s' if devices > 1 else ''}; start one process per accelerator, or train on the "
            "CPU with training.device cpu"
        )
    if AcceleratorState._shared_state and AcceleratorState().num_processes == 1:
        # accelerate remembers the settings of a process's first run; each run has its own
        AcceleratorState._reset_state(reset_partial_state=True)
    return Accelerator(
        mixed_precision=mixed_precision(training),
        cpu=training.device == "cpu",
    )


def mixed_precision(training: LoopSpec) -> str:
    """Return the mixed precision that a training spec means on this machine: no, bf16 or fp16."""
    if training.precision != "auto":
        return training.precision
    fast = pick_device(training.device).type == "cuda" and torch.cuda.is_bf16_supported(
        including_emulation=False
    )
    return "bf16" if fast else "no"


def training_environment(accelerator: Accelerator, training: LoopSpec) -> dict[str, str | bool]:
    """Return the device and the precision that a run trains with, for its record.

    ``tf32`` says whether the factors of float32 products are rounded to TF32.
    """
    device = accelerator.device
    precision = accelerator.mixed_precision
    return {
        "device": device_name(device),
        "precision": "float32" if precision == "no" else precision,
        "tf32": training.tf32 and device.type == "cuda" and _has_tf32(device),
    }


def _has_tf32(device: torch.device) -> bool:
    """Return whether a CUDA device computes in TF32: NVIDIA's from compute capability 8."""
    return torch.version.hip is None and torch.cuda.get_device_capability(device)[0] >= 8
