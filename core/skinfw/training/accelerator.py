"""The accelerator that training runs on."""

from __future__ import annotations

import os

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from skinfw.errors import RunError
from skinfw.specs.run_spec import LoopSpec


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
        mixed_precision=training.precision,
        cpu=training.device == "cpu",
    )
