"""A function that a new process can import."""

from __future__ import annotations

import numpy as np


def fill(mebibytes: int) -> int:
    """Fill so much memory with numbers, and return their sum."""
    return int(np.ones(mebibytes * 2**17).sum())
