"""Memory that was freed and is soon needed again."""

from __future__ import annotations

import ctypes
import os

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Numbers of glibc's parameters, from ``malloc.h``."""

_KEPT = (256 * 2**20, 32 * 2**20)
"""Bytes to keep at most; older versions of glibc accept only the smaller one."""

_CHOSEN = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


def keep_freed_memory() -> None:
    """Let glibc keep freed memory for the next tensors, for the rest of this process.

    A training step allocates and frees the same tensors again and again. glibc maps large ones each time, and
    the system clears their pages: up to a quarter of the CPU time of a small network. From now on, arrays of
    up to 256 MiB come from memory that is kept, and as much of it is not given back. Other C libraries are
    left as they are, and so is glibc if its own environment variables are set.
    """
    if any(name in os.environ for name in _CHOSEN):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # not glibc
        return
    for kept in _KEPT:
        if mallopt(_MMAP_THRESHOLD, kept):
            mallopt(_TRIM_THRESHOLD, kept)
            return


def release_freed_memory() -> None:
    """Give memory that was freed back to the system; other C libraries than glibc keep it."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # not glibc
        return
