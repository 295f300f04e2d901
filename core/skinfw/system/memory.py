"""Memory that was freed and is soon needed again."""

from __future__ import annotations

import ctypes
import os

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Numbers of glibc's parameters, from ``malloc.h``."""

_KEPT = 256 * 2**20

_CHOSEN = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


def keep_freed_memory() -> None:
    """Let glibc keep up to 256 MiB of freed memory instead of giving it back to the system at once.

    A training step allocates and frees the same tensors again and again. glibc maps large ones each time, and
    the system clears their pages: up to a quarter of the CPU time of a small network. Other C libraries are
    left as they are, and so is glibc if its own environment variables are set.
    """
    if any(name in os.environ for name in _CHOSEN):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # not glibc
        return
    mallopt(_MMAP_THRESHOLD, _KEPT)
    mallopt(_TRIM_THRESHOLD, _KEPT)
