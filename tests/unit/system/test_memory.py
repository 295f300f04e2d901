"""Freed memory is kept for the next tensors."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource
import numpy as np
from skinfw.system.memory import keep_freed_memory
{keep}
def step():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    held = [np.ones(3 * 2**17 + 2**10 * each) for each in range(20)]  # of 3 MiB and more
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
step()
print(step())
"""


def faults(keep: bool, **environment: str) -> int:
    """Return the page faults of the second of two steps that allocate the same arrays and free them."""
    code = FAULTS.format(keep="keep_freed_memory()" if keep else "")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC", "GLIBC"))}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**clean, **environment}, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="this system has another C library than glibc")
def test_the_arrays_of_a_step_take_the_memory_of_the_step_before() -> None:
    kept, plain = faults(keep=True), faults(keep=False)
    assert kept < 20 < 100 < plain
    # somebody who tunes glibc keeps the choice
    assert faults(keep=True, MALLOC_MMAP_THRESHOLD_="131072") > 100
