from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filling import fill
from PIL import Image

from skinfw.benchmark import process
from skinfw.benchmark.labels import labeled
from skinfw.benchmark.photos import chosen_photos
from skinfw.benchmark.process import in_own_process
from skinfw.benchmark.segmenters import (
    SegmenterResults,
    benchmark_segmenters,
    intersection_over_union,
    measure_segmenter,
    segmenters_table,
)
from skinfw.components.config import ComponentConfig
from skinfw.components.reference import use
from skinfw.data.photo import Photo
from skinfw.data.segmentation import RegionName, Segmentation
from skinfw.errors import DataError, UserError
from skinfw.interfaces import Segmenter

CLASSES = ("background", "skin", "head", "feet", "apparel")
ALL: Mapping[RegionName, tuple[str, ...]] = {
    "background": ("background",),
    "skin": ("skin",),
    "head": ("head",),
    "feet": ("feet",),
    "apparel": ("apparel",),
}


class Fixed(Segmenter[ComponentConfig]):
    """Knows the label map of each photo by its name."""

    def __init__(
        self, maps: Mapping[str, list[list[int]]], regions: Mapping[RegionName, tuple[str, ...]] = ALL
    ):
        super().__init__(ComponentConfig(), None)
        self.maps = maps
        self.regions = regions

    def segment(self, photo: Photo) -> Segmentation:
        assert photo.path is not None
        if photo.path.name not in self.maps:
            raise DataError(f"{photo.path}: nobody there")
        time.sleep(0.01)
        return Segmentation(np.array(self.maps[photo.path.name], np.uint8), CLASSES, self.regions)


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{name}.png" for name in "abc"]
    for path in paths:
        Image.new("RGB", (4, 2)).save(path)
    return paths


TRUE = {
    "a.png": [[0, 1, 1, 2], [0, 4, 4, 4]],
    "b.png": [[0, 0, 1, 2], [3, 3, 4, 4]],
    "c.png": [[0, 0, 0, 0], [0, 0, 0, 0]],
}
FOUND = {
    "a.png": [[0, 1, 4, 2], [0, 0, 4, 1]],
    "b.png": [[1, 0, 1, 2], [3, 0, 4, 4]],
}


def test_results_by_a_hand_count(photos: list[Path]) -> None:
    results = measure_segmenter(Fixed(FOUND), Fixed(TRUE), photos)
    assert results.photos == 2
    assert list(results.unusable) == [str(photos[2])] and "nobody there" in results.unusable[str(photos[2])]
    # photo a: person 5 of 6; skin 1 of 3; head 1 of 1; no feet in either; apparel 1 of 4
    # photo b: person 5 of 7; skin 1 of 2; head 1 of 1; feet 1 of 2; apparel 2 of 2
    assert results.mean["person"] == pytest.approx((5 / 6 + 5 / 7) / 2)
    assert results.mean["skin"] == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert results.mean["head"] == 1
    assert results.mean["feet"] == pytest.approx(1 / 2)
    assert results.mean["apparel"] == pytest.approx((1 / 4 + 1) / 2)
    assert results.median["skin"] == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert 0.01 <= results.seconds < 1


def test_a_region_that_cannot_be_told_has_no_result(photos: list[Path]) -> None:
    only_head: Mapping[RegionName, tuple[str, ...]] = {"head": ("head",)}
    results = measure_segmenter(Fixed(FOUND, only_head), Fixed(TRUE), photos[:2])
    assert results.mean == {"person": None, "skin": None, "head": 1.0, "feet": None, "apparel": None}
    assert [cell.text for cell in segmenters_table({"x": results}).rows[0][1][:3]] == [
        "n/a",
        "n/a",
        "1.000 (1.000)",
    ]


def test_one_of_two_empty_masks_counts_as_nothing() -> None:
    empty, full = np.zeros((3, 3), bool), np.ones((3, 3), bool)
    assert intersection_over_union(empty, full) == 0 == intersection_over_union(full, empty)
    assert np.isnan(intersection_over_union(empty, empty))


def test_nothing_that_can_be_measured(photos: list[Path]) -> None:
    with pytest.raises(DataError, match=r"none of the 3 photos could be measured: .*a\.png: nobody there"):
        measure_segmenter(Fixed({}), Fixed(TRUE), photos)


def test_the_best_of_a_region_is_marked() -> None:
    def results(skin: float, unusable: dict[str, str]) -> SegmenterResults:
        values: dict[str, float | None] = {
            **dict.fromkeys(("person", "head", "feet", "apparel"), 0.5),
            "skin": skin,
        }
        return SegmenterResults(values, values, 3, unusable, 0.5, 200.0)

    table = segmenters_table({"one": results(0.4, {}), "two": results(0.6, {})})
    assert [row[1][1].best for row in table.rows] == [False, True]
    assert table.rows[0][1][-2].text == "2" and table.rows[0][1][-1].text == "200"
    # the mean over the photos that are left says nothing of the one that is not
    table = segmenters_table({"one": results(0.4, {}), "two": results(0.6, {"a.png": "not finite"})})
    assert not any(cell.best for _, cells in table.rows for cell in cells)


def test_labels_tell_what_was_changed() -> None:
    parts = use("segmenter", "bodypix", stride=16)
    found = labeled(
        [use("segmenter", "bodypix"), parts, use("segmenter", "skin_color", parts=parts, rounds=0), parts]
    )
    assert list(found) == ["bodypix", "bodypix stride=16", "skin_color parts=bodypix rounds=0"]


def test_memory_is_that_of_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(process, "INTERVAL", 0.05)  # starting Python takes longer
    small, least = in_own_process("fill", fill, 1)
    large, most = in_own_process("fill", fill, 200)
    assert (small, large) == (2**17, 200 * 2**17)
    assert 150 < most - least < 260
    assert capsys.readouterr().err.startswith("measuring fill: 0:00:0")


def test_errors_come_back_as_they_are(tmp_path: Path, write_photo: Any) -> None:
    photo = write_photo(tmp_path / "a.png")
    missing = use("segmenter", "bodypix", weights="/nowhere/a.onnx")
    with pytest.raises(UserError, match="no such ONNX file"):
        benchmark_segmenters([missing], use("segmenter", "deepfashion"), [photo])


def test_a_segmenter_that_cannot_run_is_found_before_others_are_measured(
    tmp_path: Path, write_photo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = []

    def here(label: str, action: Any, reference: Any, truth: Any, photos: list[Path]) -> tuple[Any, float]:
        measured.append((label, len(photos)))
        return action(reference, truth, photos), 1.0

    for module in ("process", "segmenters"):
        monkeypatch.setattr(f"skinfw.benchmark.{module}.in_own_process", here)
    photos = [write_photo(tmp_path / f"{name}.png") for name in "abc"]
    truth = use("segmenter", "deepfashion")
    with pytest.raises(UserError, match="no such ONNX file"):
        benchmark_segmenters([truth, use("segmenter", "bodypix", weights="/no/a.onnx")], truth, photos)
    assert [count for _, count in measured] == [1, 1]
    measured.clear()
    benchmark_segmenters([truth, use("segmenter", "deepfashion", snap_distance=1.0)], truth, photos)
    assert [count for _, count in measured] == [1, 1, 3, 3]


def test_which_photos_are_chosen(tmp_path: Path) -> None:
    for number in range(40):
        path = tmp_path / f"id_{number:08d}" / "01_1_front.jpg"
        path.parent.mkdir()
        for each in (path, path.with_name("02_1_side.jpg"), path.with_name("01_1_front_segment.png")):
            pixels = np.random.default_rng(number).integers(0, 256, (16, 16, 3), np.uint8)
            Image.fromarray(pixels).save(each)
    truth = use("segmenter", "deepfashion")
    every = chosen_photos(tmp_path, truth)
    assert len(every) == 80 and not any(path.suffix == ".png" for path in every)
    test = chosen_photos(tmp_path, truth, test_fraction=0.3)
    assert 4 <= len(test) / 2 <= 24 and set(test) < set(every)
    # one person is on one side
    assert len({path.parent for path in test}) == len(test) / 2
    assert chosen_photos(tmp_path, truth, limit=3) == [every[0], every[40], every[79]]
    with pytest.raises(DataError, match="no such folder"):
        chosen_photos(tmp_path / "no", truth)


def test_the_test_photos_are_those_of_a_run(tmp_path: Path, write_photo: Any) -> None:
    """The same photos as the data set of photos and the data of a segmentation run keep for their tests."""
    from skinfw.data.split import split_names
    from skinfw.specs.segmentation_spec import SegmentationData
    from skinfw.tasks.segmentation.photos import LabeledPhotos

    for number in range(12):
        folder = tmp_path / f"id_{number:08d}"
        folder.mkdir()
        write_photo(folder / "01_1_front.png", number)
    data = LabeledPhotos(SegmentationData(root=tmp_path, size=[32, 32]))
    split = split_names(data.names(), 0.4, 0.1, data.group)
    chosen = chosen_photos(tmp_path, use("segmenter", "deepfashion"), 0.4)
    assert sorted(split.test) == [path.relative_to(tmp_path).as_posix() for path in chosen]
