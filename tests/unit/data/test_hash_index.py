from __future__ import annotations

import time

import numpy as np
import pytest
from hashes import random_hashes

from skinfw.data.hash_index import HashIndex


def distance(one: str, other: str) -> int:
    return bin(int(one, 16) ^ int(other, 16)).count("1")


def near_duplicates(count: int, bits: int) -> list[str]:
    """Return distinct hashes that are all near each other: one with up to so many bits changed."""
    rng = np.random.default_rng(3)
    found: dict[str, None] = {}
    while len(found) < count:
        value = 0x0123456789ABCDEF
        for bit in rng.integers(0, 64, bits):
            value ^= 1 << int(bit)
        found[f"{value:016x}"] = None
    return list(found)


@pytest.mark.parametrize("most", [0, 1, 4, 8, 14, 15, 32, 64])
@pytest.mark.parametrize("hashes", [random_hashes(300), near_duplicates(100, 4)], ids=["mixed", "dense"])
def test_near_hashes_are_those_of_a_plain_count(most: int, hashes: list[str]) -> None:
    index = HashIndex(most, hashes)
    for phash in [*hashes[::7], "0" * 16, "f" * 16]:
        expected = [place for place, each in enumerate(hashes) if distance(each, phash) <= most]
        assert index.near(phash).tolist() == expected
    assert len(index) == len(hashes) and index.distance(2, hashes[5]) == distance(hashes[2], hashes[5])


def test_an_empty_index_has_no_near_hash() -> None:
    assert HashIndex(4).near("0" * 16).tolist() == [] == HashIndex(4).components().tolist()


def test_components_reach_through_others() -> None:
    # the third is 4 bits from the first, and the fourth 4 from the third
    hashes = ["0" * 16, "f" * 15 + "0", "f" + "0" * 15, "ff" + "0" * 14]
    assert HashIndex(4, hashes).components().tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("kind", ["apart", "near"])
def test_ten_thousand_hashes_take_seconds(kind: str) -> None:
    rng = np.random.default_rng(0)
    hashes = [rng.bytes(8).hex() for _ in range(10_000)] if kind == "apart" else near_duplicates(10_000, 4)
    began = time.process_time()
    index = HashIndex(8, hashes)
    components = index.components()
    for phash in hashes:
        index.near(phash)
    assert time.process_time() - began < 20
    assert len(set(components.tolist())) == (10_000 if kind == "apart" else 1)
