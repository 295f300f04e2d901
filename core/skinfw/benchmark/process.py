"""Running a function in a separate process, to measure its memory."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from skinfw.components.reference import ComponentSpec
from skinfw.errors import DataError, RunError
from skinfw.system.bar import INTERVAL, duration_text, print_progress
from skinfw.system.processes import make_pool

ResultT = TypeVar("ResultT")


def in_own_process(label: str, action: Callable[..., ResultT], *arguments: Any) -> tuple[ResultT, float]:
    """Run a function of a module in a new process; a line now and then says how long it has taken.

    Args:
        label: what is measured, for these lines.
        action: the function; it, its arguments and its result must be picklable.
        *arguments: its arguments.

    Returns:
        its result, and the peak resident memory of its process in MiB, including libraries.

    Raises:
        RunError: the process ended unexpectedly, for example out of memory.
    """
    with make_pool(1) as pool:
        try:
            measured, began = pool.submit(_measured, action, arguments), time.monotonic()
            while not wait([measured], timeout=INTERVAL).done:
                print_progress(f"measuring {label}: {duration_text(time.monotonic() - began)} so far")
            return measured.result()
        except BrokenProcessPool as error:
            raise RunError("the process of a measurement ended unexpectedly: out of memory?") from error


def try_all(
    components: Mapping[str, ComponentSpec],
    measure: Callable[..., object],
    truth: ComponentSpec,
    photos: Sequence[Path],
) -> None:
    """Measure each of several components on the first photo, so that what cannot run fails before the others.

    Args:
        components: by label, see `skinfw.benchmark.labels.labeled`.
        measure: takes a component, the truth and photos; see `in_own_process`.
        truth: provides the ground truth.
        photos: the photos.

    Raises:
        SkinfwError: a component cannot be built or run, for example because its weights are missing.
    """
    if len(components) > 1:
        for label, reference in components.items():
            with suppress(DataError):  # it cannot use this photo
                in_own_process(label, measure, reference, truth, photos[:1])


def _measured(action: Callable[..., ResultT], arguments: tuple[Any, ...]) -> tuple[ResultT, float]:
    result = action(*arguments)
    return result, _peak()


def _peak() -> float:
    """Return the peak resident memory of this process so far, in MiB."""
    status = Path("/proc/self/status")
    if status.is_file():
        # Linux's rusage starts with the parent's memory when it started this process
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset) / 2**20
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts bytes, other systems KiB
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
