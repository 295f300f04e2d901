"""Near copies among many samples."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
from hashes import random_hashes

from skinfw.data.segmentation import RgbImage
from skinfw.data.split import Side
from skinfw.doctor.config import DoctorConfig
from skinfw.doctor.near_duplicates import SMALL, Look, check_near_duplicates


def look_at(count: int, image: Callable[[int], RgbImage], phash: Callable[[int], str]) -> list[Look]:
    return [Look(f"{index:05d}", "", phash(index), image(index)) for index in range(count)]


def flat(value: int) -> RgbImage:
    return np.full((SMALL, SMALL, 3), value % 256, np.uint8)


def test_near_duplicates_grow_with_the_samples_and_not_with_the_pairs() -> None:
    looks = look_at(60, lambda index: flat(index % 3), lambda index: f"{index % 4:016x}")
    sides = {look.name: get_args(Side)[index % 3] for index, look in enumerate(looks)}
    found = list(check_near_duplicates(looks, DoctorConfig(), sides))
    # each sample with the first of each side before it
    assert len(found) == 0 + 1 + 2 + 3 * 57
    assert {name for finding in found for name in finding.samples} == set(sides)
    assert sum(finding.check == "split" for finding in found) == 0 + 1 + 2 + 2 * 57


def test_near_duplicates_are_those_of_a_plain_count() -> None:
    rng = np.random.default_rng(5)
    images = [np.clip(flat(80 * (i % 3)) + rng.integers(0, 40), 0, 255).astype(np.uint8) for i in range(80)]
    hashes = random_hashes(80, seed=7)
    looks = look_at(80, images.__getitem__, hashes.__getitem__)
    config = DoctorConfig(near_duplicate_distance=8)
    found = {
        finding.samples
        for finding in check_near_duplicates(looks, config, {look.name: "test" for look in looks})
    }
    expected = set()
    for index, look in enumerate(looks):
        for other in looks[:index]:
            bits = bin(int(look.hash, 16) ^ int(other.hash, 16)).count("1")
            difference = np.abs(look.small.astype(float) - other.small).mean()
            if bits <= 8 and difference <= config.near_duplicate_difference:
                expected.add((other.name, look.name))
                break
    assert found == expected and expected


@pytest.mark.parametrize("kind", ["one image", "other images of one hash"])
def test_thousands_of_near_copies_take_seconds(kind: str) -> None:
    other = kind != "one image"
    looks = look_at(
        4_000, lambda index: flat(index * 37 if other else 9), lambda index: f"{1 << index % 64:016x}"
    )
    sides: dict[str, Side] = {look.name: "training" for look in looks}
    began = time.process_time()
    found = list(check_near_duplicates(looks, DoctorConfig(), sides))
    assert time.process_time() - began < 15
    assert len(found) > 3_500
