"""Label maps and poses of photos of which only some have files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from drawn_photos import write_drawn_photo

from skinfw.components.reference import use
from skinfw.data.plausibility import OWN
from skinfw.errors import DataError, RunError
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.finders import Finders, Missing
from skinfw.preparation.prepare import prepare
from skinfw.preparation.preparer_arguments import PreparerArguments
from skinfw.preparation.report import Row
from skinfw.preparation.set_check import SetCheck

READS_MAPS, READS_POSES = use("segmenter", "deepfashion"), use("pose_encoder", "openpose")


def elsewhere(root: Path) -> Missing:
    """Return components that read files in folders of their own."""
    maps = {"labels": "deepfashion", "folder": str(root / "maps"), "suffix": "_segment.png"}
    poses = use("pose_encoder", "openpose", folder=str(root / "poses"))
    return Missing(use("segmenter", "label_map", **maps), poses)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """``both`` has a label map and a pose, ``pose`` and ``map`` have only that; the rest is elsewhere."""
    root = tmp_path / "photos"
    for folder in ("maps", "poses"):
        (tmp_path / folder).mkdir()
    for seed, name in enumerate(("both", "map", "pose")):
        write_drawn_photo(root / f"{name}.png", seed)
    shutil.move(root / "pose_segment.png", tmp_path / "maps")
    shutil.move(root / "map_keypoints.json", tmp_path / "poses")
    return root


def made_with(sample: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((sample / "sample.json").read_text(encoding="utf-8"))["made_with"]
    return found


def test_what_has_no_file_is_found_otherwise_and_counted(photos: Path, tmp_path: Path) -> None:
    config, out, missing = PrepareConfig(num_workers=1), tmp_path / "out", elsewhere(tmp_path)
    report = prepare(photos, out, READS_MAPS, READS_POSES, config, missing=missing)
    other = json.dumps({"type": "openpose", "folder": str(tmp_path / "poses")})
    assert report.counts() == (
        "3 made, 0 kept, 0 rejected; label maps: 2 by deepfashion, 1 by label_map; "
        f"poses: 2 by openpose, 1 by {other}"
    )
    assert [row.segmenter for row in report.rows] == ["deepfashion", "deepfashion", "label_map"]
    folders = {name: made_with(out / name)["pose_encoder"]["folder"] for name in ("both", "map", "pose")}
    assert folders == {"both": None, "map": str(tmp_path / "poses"), "pose": None}
    again = prepare(photos, out, READS_MAPS, READS_POSES, config, missing=missing)
    assert again.counts().startswith("0 made, 3 kept, 0 rejected")
    # without them, such photos are rejected
    strict = prepare(photos, tmp_path / "strict", READS_MAPS, READS_POSES, config)
    assert strict.counts() == "1 made, 0 kept, 2 rejected"
    assert {row.photo: row.reason for row in strict.rejected()} == {
        "map.png": "pose failed",
        "pose.png": "segmentation failed",
    }


def test_an_archive_is_read_alike(photos: Path, tmp_path: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "all"), "zip", photos))
    config, missing = PrepareConfig(num_workers=1), elsewhere(tmp_path)
    report = prepare(archive, tmp_path / "out", READS_MAPS, READS_POSES, config, missing=missing)
    assert [(row.photo, row.segmenter) for row in report.rows] == [
        ("both.png", "deepfashion"),
        ("map.png", "deepfashion"),
        ("pose.png", "label_map"),
    ]


def test_label_maps_in_files_need_no_confidence_if_others_are_found(photos: Path, tmp_path: Path) -> None:
    config = PrepareConfig(num_workers=1, min_confidence=0.5)
    with pytest.raises(RunError, match="'deepfashion' does not say how sure it is"):
        prepare(photos, tmp_path / "one", READS_MAPS, None, config)
    computed = Missing(use("segmenter", "skin_color", parts=READS_MAPS))
    report = prepare(photos, tmp_path / "two", READS_MAPS, None, config, missing=computed)
    assert [row.status for row in report.rows] == ["made", "made", "rejected"]


def test_other_processes_build_the_same(tmp_path: Path) -> None:
    missing = elsewhere(tmp_path)
    assert missing.label_maps is not None and missing.poses is not None
    named = (READS_POSES, missing.label_maps, missing.poses)
    parts = PreparerArguments(
        tmp_path, READS_MAPS.to_json(), *(each.to_json() for each in named), PrepareConfig(), tmp_path
    )
    found = parts.build().finders.of(tmp_path / "x.png")
    assert found.pose_encoder is not None
    assert found.segmenter.reference.to_json() == missing.label_maps.to_json()
    assert found.pose_encoder.reference.to_json() == missing.poses.to_json()


def test_a_component_that_reads_nothing_is_never_replaced(photos: Path, tmp_path: Path) -> None:
    """The segmenter and the pose encoder compute what they find, so nothing can be missing."""
    computes, maps = use("segmenter", "bodypix"), use("segmenter", "skin_color", parts=READS_MAPS)
    found = Finders(computes, use("pose_encoder", "bodypix"), elsewhere(tmp_path)).of(photos / "pose.png")
    assert found.pose_encoder is not None
    assert (found.segmenter.reference.name, found.pose_encoder.reference.name) == ("bodypix", "bodypix")
    # one that only joins others needs their files
    found = Finders(maps, None, elsewhere(tmp_path)).of(photos / "pose.png")
    assert found.segmenter.reference.name == "label_map"


def test_wrong_label_maps_are_noticed_beside_those_that_are_computed(tmp_path: Path) -> None:
    """The fits of a computed label map say nothing about the tables of label maps in files."""
    wrong = [
        Row(f"{n}.png", str(n), "made", fits={OWN: -1.0, 'labels "atr"': -0.8}, segmenter="label_map")
        for n in range(19)
    ]
    computed = Row("z.png", "z", "made", fits={OWN: -0.8}, segmenter="parser")
    finders = Finders(READS_MAPS, None, Missing(use("segmenter", "bodypix")))
    assert finders.checked() == ("deepfashion",)
    assert Finders(READS_MAPS, None, elsewhere(tmp_path)).checked() == ("deepfashion", "label_map")
    check = SetCheck({"label_map"})
    for row in (*wrong, computed):
        check.add(row)
    with pytest.raises(DataError, match=r'19 label maps .* set labels "atr"'):
        check.check()


def test_a_rejected_photo_names_its_segmenter(photos: Path, tmp_path: Path) -> None:
    missing = Missing(use("segmenter", "label_map", labels="deepfashion", suffix="_none.png"))
    report = prepare(
        photos, tmp_path / "out", READS_MAPS, None, PrepareConfig(num_workers=1), missing=missing
    )
    assert [row.segmenter for row in report.rejected()] == ["label_map"]


def test_all_poses_are_drawn_alike(photos: Path, tmp_path: Path) -> None:
    """The first pose encoder draws what the other one finds; its style is part of the settings."""
    config, missing = PrepareConfig(num_workers=1), elsewhere(tmp_path)
    lines = use("pose_encoder", "openpose", draw="lines")
    for out, encoder in (("skeleton", READS_POSES), ("lines", lines), ("skeleton", lines)):
        prepare(photos, tmp_path / out, READS_MAPS, encoder, config, missing=missing)
    shutil.copy(tmp_path / "poses" / "map_keypoints.json", photos)
    prepare(photos, tmp_path / "alone", READS_MAPS, lines, config, missing=missing)
    drawn = (tmp_path / "alone" / "map" / "line.png").read_bytes()
    assert (tmp_path / "lines" / "map" / "line.png").read_bytes() == drawn
    assert (tmp_path / "skeleton" / "map" / "line.png").read_bytes() == drawn
