"""Perceptual hashes as a set of photos might have them."""

from __future__ import annotations

import numpy as np


def random_hashes(count: int, seed: int = 0) -> list[str]:
    """Return hashes, some of which are copies with a few bits changed."""
    rng = np.random.default_rng(seed)
    found: list[str] = []
    for index in range(count):
        value = int.from_bytes(rng.bytes(8), "big")
        if index % 3 == 2:
            value = int(found[int(rng.integers(index))], 16)
            for bit in rng.integers(0, 64, int(rng.integers(0, 7))):
                value ^= 1 << int(bit)
        found.append(f"{value:016x}")
    return found
