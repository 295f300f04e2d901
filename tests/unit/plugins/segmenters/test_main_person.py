from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx_models import write_bodypix

from skinfw.data.photo import Photo
from skinfw_plugins.segmenters.bodypix import BodyPixSegmenter
from skinfw_plugins.segmenters.config import BodyPixConfig
from skinfw_plugins.segmenters.main_person import main_person


def image(*rows: str) -> np.ndarray:
    return np.array([[character == "#" for character in row] for row in rows])


def test_passers_by_go_and_feet_stay() -> None:
    found = main_person(
        image(
            "#....##...#",
            "#....##...#",
            "#..#####..#",
            "#..#####...",
            "...........",
            "....#.#...#",
        )
    )
    expected = image(
        ".....##....",
        ".....##....",
        "...#####...",
        "...#####...",
        "...........",
        "....#.#....",
    )
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("people", [np.zeros((4, 5), bool), np.ones((4, 5), bool), np.eye(5, dtype=bool)])
def test_nobody_and_one_person_stay_as_they_are(people: np.ndarray) -> None:
    assert np.array_equal(main_person(people), people)


def test_bodypix_keeps_one_or_all(tmp_path: Path) -> None:
    weights = write_bodypix(tmp_path / "bodypix.onnx")
    photo = Photo(np.random.default_rng(0).integers(0, 256, (120, 200, 3)).astype(np.uint8))
    kept, every = (
        BodyPixSegmenter(BodyPixConfig(weights=weights, stride=16, resolution=257, people=people), None)
        .segment(photo)
        .person
        for people in ("main", "all")
    )
    assert np.array_equal(kept, main_person(every)) and 0 < kept.sum() < every.sum()
