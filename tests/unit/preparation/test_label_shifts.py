"""Sets of misaligned label maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from drawn_photos import write_drawn_photo
from PIL import Image
from real_files import PHOTOS, needs_photos

from skinfw.assembly.build import build
from skinfw.components.reference import use
from skinfw.interfaces import Segmenter
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.label_shifts import measured_shift, misalignment, warn_about_shift
from skinfw.preparation.prepare import prepare
from skinfw.preparation.survey import survey


def write_moved(folder: Path, count: int, down: int, right: int) -> list[Path]:
    """Write drawn photos whose label maps lie so many pixels below and to the right of them."""
    photos = [write_drawn_photo(folder / f"id_{seed}" / "01_1_front.png", seed) for seed in range(count)]
    for photo in photos:
        labels = photo.with_name("01_1_front_segment.png")
        there = np.roll(np.asarray(Image.open(labels)), (down, right), (0, 1))
        Image.fromarray(there).save(labels)
    return photos


def deepfashion(shift: tuple[int, int] = (0, 0)) -> Segmenter:  # type: ignore[type-arg]
    return build(use("segmenter", "deepfashion", shift=shift), Segmenter)


def test_the_shift_of_a_set_is_measured(tmp_path: Path) -> None:
    photos = write_moved(tmp_path, 8, 2, -1)
    assert measured_shift(deepfashion(), photos) == (-2, 1)
    assert measured_shift(deepfashion((-2, 1)), photos) == (0, 0)
    assert measured_shift(deepfashion(), photos[:7]) == (0, 0)  # seven say nothing about a set
    (tmp_path / "id_0" / "01_1_front_segment.png").unlink()
    photos[1].write_bytes(b"not an image")
    more = write_moved(tmp_path / "more", 8, 2, -1)
    assert measured_shift(deepfashion(), [*photos, *more, tmp_path / "gone.png"]) == (-2, 1)


def test_only_a_segmenter_with_the_setting_is_measured(tmp_path: Path) -> None:
    photos = write_moved(tmp_path, 8, 2, -1)
    assert measured_shift(build(use("segmenter", "haar"), Segmenter), photos) == (0, 0)


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        ((-1, 0), "1 pixel too low"),
        ((2, 0), "2 pixels too high"),
        ((0, -1), "1 pixel too far right"),
        ((-3, 2), "3 pixels too low and 2 pixels too far left"),
    ],
)
def test_it_says_how_label_maps_are_misaligned(shift: tuple[int, int], words: str) -> None:
    assert misalignment(*shift) == words


def test_a_warning_gives_the_shift_to_set(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    photos = write_moved(tmp_path, 8, 2, 0)
    warn_about_shift(tmp_path, deepfashion((-2, 0)), photos)
    assert not caplog.records
    warn_about_shift(tmp_path, deepfashion((1, 1)), photos)
    (record,) = caplog.records
    assert record.getMessage() == (
        f"{tmp_path}: the label maps are misaligned, 3 pixels too low and 1 pixel too far right; set the "
        'segmenter\'s "shift" to [-2, 0]'
    )


def test_prepare_warns_each_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_moved(tmp_path / "photos", 8, 1, 0)
    for _ in range(2):
        caplog.clear()
        prepare(
            tmp_path / "photos",
            tmp_path / "out",
            use("segmenter", "deepfashion"),
            None,
            PrepareConfig(num_workers=1),
        )
        assert sum('"shift" to [-1, 0]' in record.getMessage() for record in caplog.records) == 1


def test_a_survey_names_the_reader_that_moves_the_label_maps(tmp_path: Path) -> None:
    write_moved(tmp_path / "off", 8, -1, 3)
    found = survey(tmp_path / "off", tmp_path / "out")
    assert found.shift == (1, -3)
    assert found.label_map_reader.shown() == '{"type": "deepfashion", "shift": [1, -3]}'
    write_moved(tmp_path / "on", 8, 0, 0)
    assert survey(tmp_path / "on", tmp_path / "out").label_map_reader.shown() == "deepfashion"


@needs_photos
def test_the_label_maps_of_the_street_photos_are_too_low_and_too_far_right() -> None:
    photos = sorted(PHOTOS.rglob("01_1_*.jpg"))
    assert measured_shift(deepfashion(), photos) == (-1, -1)
    assert measured_shift(deepfashion((-1, -1)), photos) == (0, 0)
