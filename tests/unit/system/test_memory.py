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
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(40):
        np.ones(2**17, np.float64)  # 1 MiB: too small for huge pages
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults())
"""


def faults(keep: bool, **environment: str) -> int:
    """Return the page faults of allocating and freeing the same array again and again."""
    code = FAULTS.format(keep="keep_freed_memory()" if keep else "")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC", "GLIBC"))}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**clean, **environment}, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="this system has another C library than glibc")
def test_arrays_of_the_same_size_take_the_same_memory() -> None:
    assert faults(keep=True) < 50
    # somebody who tunes glibc keeps the choice
    assert faults(keep=True, MALLOC_MMAP_THRESHOLD_="131072") > 1000
