from __future__ import annotations

import errno
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skinfw.data.cutout_file import read_cutout
from skinfw.data.keypoints import Keypoints, read_openpose_json
from skinfw.data.label_file import read_labels
from skinfw.data.mask_file import read_mask
from skinfw.data.parts import PersonParts
from skinfw.data.sample_writer import WRITTEN_FILES, remove_sample, sample_files, write_sample
from skinfw.data.segmentation import Segmentation
from skinfw.errors import RunError

RNG = np.random.default_rng(0)
KEEP = RNG.random((12, 9)) < 0.5
LABELS = RNG.integers(0, 16, (12, 9)).astype(np.uint8)
POSE = Keypoints(RNG.random((25, 3)).astype(np.float32))
PARTS = PersonParts(
    apparel=np.where(KEEP[..., None], RNG.integers(0, 256, (12, 9, 3), np.uint8), np.uint8(255)),
    keep=KEEP,
    body=RNG.integers(0, 256, (12, 9, 3), np.uint8),
    to_inpaint=~KEEP & (RNG.random((12, 9)) < 0.7),
    skin=~KEEP,
    labels=Segmentation(LABELS, tuple(f"class {index}" for index in range(16)), {}),
    line=RNG.integers(0, 256, (12, 9, 3), np.uint8),
    pose=POSE,
)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_everything_is_read_back_exactly(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "anna"
    write_sample(folder, sample_files(PARTS), {"name": "anna"})
    assert names(folder) == set(WRITTEN_FILES)
    assert names(folder.parent) == {"anna"}
    apparel, keep = read_cutout(folder / "apparel_head_foot.png")
    assert np.array_equal(apparel, PARTS.apparel) and np.array_equal(keep, KEEP)
    for part, mask in (("segmentation_skin", PARTS.skin), ("mask", PARTS.to_inpaint)):
        assert np.array_equal(read_mask(folder / f"{part}.png"), mask)
    assert not np.array_equal(PARTS.skin, PARTS.to_inpaint)
    for part, expected in (("body", PARTS.body), ("line", PARTS.line)):
        assert np.array_equal(np.asarray(Image.open(folder / f"{part}.png")), expected)
    assert np.array_equal(read_labels(folder / "parsing.png"), LABELS)
    (found,) = read_openpose_json(folder / "keypoints.json")
    assert np.abs(found.points - POSE.points).max() < 1e-4


def test_a_sample_has_the_pose_and_its_drawing_or_neither() -> None:
    for parts in (replace(PARTS, line=None), replace(PARTS, pose=None)):
        with pytest.raises(ValueError, match="has both the pose and the pose map, or neither"):
            sample_files(parts)
    files = sample_files(replace(PARTS, line=None, pose=None))
    assert set(sample_files(PARTS)) - set(files) == {"line.png", "keypoints.json"}


def test_the_label_map_has_a_color_for_every_class(tmp_path: Path) -> None:
    write_sample(tmp_path / "a", sample_files(PARTS), {})
    image = Image.open(tmp_path / "a" / "parsing.png")
    assert image.mode == "P"
    palette = np.array(image.getpalette()).reshape(-1, 3)[:16]
    assert len(np.unique(palette, axis=0)) == 16


def test_the_record_holds_the_hash_of_every_file(tmp_path: Path) -> None:
    write_sample(tmp_path / "a", sample_files(PARTS), {"name": "a"})
    record = json.loads((tmp_path / "a" / "sample.json").read_text())
    assert record["name"] == "a"
    for name in set(WRITTEN_FILES) - {"sample.json"}:
        assert record["files"][name] == hashlib.sha256((tmp_path / "a" / name).read_bytes()).hexdigest()


def test_replacing_keeps_what_was_never_written_here(tmp_path: Path) -> None:
    files = sample_files(PARTS)
    write_sample(tmp_path / "a", files, {"take": 1})
    (tmp_path / "a" / "notes.txt").write_text("mine")
    write_sample(tmp_path / "a", files, {"take": 2})
    assert names(tmp_path / "a") == {*WRITTEN_FILES, "notes.txt"}
    assert json.loads((tmp_path / "a" / "sample.json").read_text())["take"] == 2
    assert names(tmp_path) == {"a"}


@pytest.mark.parametrize("state", ["unfinished", "replaced"])
def test_what_a_killed_run_left_is_cleaned_up(tmp_path: Path, state: str) -> None:
    files = sample_files(PARTS)
    write_sample(tmp_path / "a", files, {"take": 1})
    left = tmp_path / f".a.{state}"
    left.mkdir()
    (left / "body.png").write_bytes(b"half")
    write_sample(tmp_path / "a", files, {"take": 2})
    assert names(tmp_path) == {"a"}
    assert (tmp_path / "a" / "body.png").read_bytes() == files["body.png"]


def test_a_full_disk_leaves_the_old_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = sample_files(PARTS)
    write_sample(tmp_path / "a", files, {"take": 1})
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "line.png":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RunError, match="a: the disk is full; finished samples are kept"):
        write_sample(tmp_path / "a", files, {"take": 2})
    assert names(tmp_path) == {"a"}
    assert json.loads((tmp_path / "a" / "sample.json").read_text())["take"] == 1


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        write_sample(tmp_path / "file" / "a", sample_files(PARTS), {})


def test_removing_spares_other_files(tmp_path: Path) -> None:
    write_sample(tmp_path / "a", sample_files(PARTS), {})
    write_sample(tmp_path / "b", sample_files(PARTS), {})
    (tmp_path / "b" / "notes.txt").write_text("mine")
    remove_sample(tmp_path / "a")
    remove_sample(tmp_path / "b")
    assert names(tmp_path) == {"b"}
    assert names(tmp_path / "b") == {"notes.txt"}
