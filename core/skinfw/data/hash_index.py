"""Finds near-duplicates: an index of 64-bit hashes, searched by Hamming distance."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

BITS = 64

_MAX_FRAGMENTS = 15
"""With more pieces than this, a hash shares one with almost all others."""

Hashes = NDArray[np.uint64]
Positions = NDArray[np.int64]


class _Growing:
    """Positions in insertion order, in an array that doubles."""

    def __init__(self) -> None:
        self._values = np.zeros(4, np.int64)
        self.count = 0

    def append(self, value: int) -> None:
        if self.count == len(self._values):
            self._values = np.concatenate([self._values, np.zeros_like(self._values)])
        self._values[self.count] = value
        self.count += 1

    @property
    def values(self) -> Positions:
        return self._values[: self.count]


class HashIndex:
    """Hashes of 64 bits, searched for those that differ in few bits.

    Hashes are cut into one piece more than bits may differ: two near hashes agree in at least one piece, so
    only those that share a piece are compared. If that would be more comparisons than with all hashes, as in
    a set of near-duplicates, all are compared once.

    Args:
        max_distance: maximum number of different bits of near hashes, 0 to 64.
        hashes: the first hashes, each 16 hexadecimal digits.

    Example:
        >>> index = HashIndex(2, ["00000000000000ff", "ffffffffffffffff"])
        >>> index.near("00000000000000fe").tolist()
        [0]
    """

    def __init__(self, max_distance: int, hashes: Iterable[str] = ()) -> None:
        self._max_distance = max_distance
        fragments = max_distance + 1 if max_distance < _MAX_FRAGMENTS else 0
        edges = [round(BITS * fragment / fragments) for fragment in range(fragments + 1)] if fragments else []
        self._fragments = [(low, (1 << (high - low)) - 1) for low, high in pairwise(edges)]
        self._buckets: list[defaultdict[int, _Growing]] = [defaultdict(_Growing) for _ in self._fragments]
        self._hashes: Hashes = np.zeros(64, np.uint64)
        self._count = 0
        for each in hashes:
            self.add(each)

    def __len__(self) -> int:
        return self._count

    def add(self, phash: str) -> None:
        """Add a hash; its position is the number of hashes before it."""
        value = int(phash, 16)
        if self._count == len(self._hashes):
            self._hashes = np.concatenate([self._hashes, np.zeros_like(self._hashes)])
        self._hashes[self._count] = value
        for bucket, (shift, mask) in zip(self._buckets, self._fragments, strict=True):
            bucket[value >> shift & mask].append(self._count)
        self._count += 1

    def near(self, phash: str) -> Positions:
        """Return the positions of the hashes within the distance, ascending, int64 ``(N,)``."""
        return self._near(int(phash, 16))

    def _near(self, value: int) -> Positions:
        shared = [
            bucket[key]
            for bucket, (shift, mask) in zip(self._buckets, self._fragments, strict=True)
            if (key := value >> shift & mask) in bucket
        ]
        if not self._fragments or sum(each.count for each in shared) >= self._count:
            return np.flatnonzero(self._distances(self._hashes[: self._count], value) <= self._max_distance)
        if not shared:
            return np.zeros(0, np.int64)
        candidates = np.concatenate([each.values for each in shared])
        near = self._distances(self._hashes[candidates], value) <= self._max_distance
        return np.unique(candidates[near])

    @staticmethod
    def _distances(hashes: Hashes, value: int) -> NDArray[np.uint8]:
        found: NDArray[np.uint8] = np.bitwise_count(hashes ^ np.uint64(value))
        return found

    def distance(self, position: int, phash: str) -> int:
        """Return the number of bits in which a hash differs from the one at a position."""
        return (int(self._hashes[position]) ^ int(phash, 16)).bit_count()

    def components(self) -> Positions:
        """Return, for each hash, the lowest position in its connected component, int64 ``(N,)``."""
        found: Positions = np.full(self._count, -1, np.int64)
        for first in range(self._count):
            if found[first] >= 0:
                continue
            found[first] = first
            pending = deque([first])
            while pending:
                near = self._near(int(self._hashes[pending.popleft()]))
                new = near[found[near] < 0]
                found[new] = first
                pending.extend(new.tolist())
        return found
