"""Checks of accelerators and processors."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from skinfw.doctor.installation import Check, reason
from skinfw.errors import counted
from skinfw.system.processes import cores

DRIVER = Path("/proc/driver/nvidia")
"""Exists where Linux has loaded NVIDIA's driver."""


def device_checks() -> Iterator[Check]:
    """Check whether torch can use an accelerator."""
    yield Check("processor", "ok", counted(cores(), "core"))
    try:
        import torch

        found = torch.accelerator.current_accelerator(check_available=True)
        names = [] if found is None else _names(found.type)
    except Exception as error:  # torch is broken, or its driver is
        yield Check(
            "accelerator", "warning", f"cannot be used: {reason(error)}", "repair torch or the driver; "
            'until then, train with "device": "cpu"',
        )  # fmt: skip
        return
    for index, name in enumerate(names):
        yield Check(f"accelerator {index}", "ok", name)
    if names:
        return
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "the CPU only"
    if DRIVER.exists() or shutil.which("nvidia-smi"):
        yield Check(
            "accelerator", "warning", f"NVIDIA's driver is there, but torch, built for {build}, finds no GPU",
            "install the build of torch for your driver: https://pytorch.org/get-started/locally",
        )  # fmt: skip
    else:
        yield Check("accelerator", "absent", "none; skinfw trains on the processor")


def _names(kind: str) -> list[str]:
    """Return name and memory of each device of a kind."""
    import torch

    module = torch.get_device_module(kind)
    names = []
    for index in range(torch.accelerator.device_count()):
        facts = getattr(module, "get_device_properties", lambda _: None)(index)
        memory = getattr(facts, "total_memory", 0) / 2**30
        names.append(f"{getattr(facts, 'name', kind)}" + (f", {memory:.0f} GiB" if memory else ""))
    return names
