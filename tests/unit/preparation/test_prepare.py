from __future__ import annotations

import csv
import errno
import json
import os
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layouts import ATR_NAMES, write_person
from PIL import Image
from real_files import PHOTOS, needs_photos

from skinfw.components.reference import ComponentSpec, use
from skinfw.data.cutout_file import read_cutout
from skinfw.data.keypoints import Keypoints, read_openpose_json
from skinfw.data.label_file import read_labels
from skinfw.data.mask_file import read_mask
from skinfw.data.parts import dilate, make_agnostic
from skinfw.data.photo import Photo
from skinfw.data.sample_folder import read_record
from skinfw.data.sample_writer import WRITTEN_FILES
from skinfw.data.segmentation import Segmentation
from skinfw.errors import DataError, RunError
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.prepare import prepare
from skinfw.preparation.report import PrepareReport
from skinfw_plugins.datasets.mannequin import draw_person
from skinfw_plugins.segmenters.config import DeepfashionConfig
from skinfw_plugins.segmenters.deepfashion import DeepfashionSegmenter

PhotoWriter = Callable[..., Path]


def run(
    root: Path,
    output: Path,
    segmenter: ComponentSpec | None = None,
    pose_encoder: ComponentSpec | None = None,
    progress: Any = None,
    **settings: Any,
) -> PrepareReport:
    config = PrepareConfig.model_validate({"num_workers": 1, **settings})
    segmenter = segmenter or use("segmenter", "deepfashion")
    return prepare(root, output, segmenter, pose_encoder or use("pose_encoder", "openpose"), config, progress)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".prepare.lock"
    }


@pytest.fixture
def photos(tmp_path: Path, write_photo: PhotoWriter) -> Path:
    for index in range(3):
        write_photo(tmp_path / "photos" / f"id_{index}" / "01_1_front.png", index)
    return tmp_path / "photos"


def test_samples_lie_under_their_photos_paths(photos: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    report = run(photos, tmp_path / "out", progress=lambda *row: seen.append((row[0], row[1], row[2].photo)))
    assert [row.sample for row in report.rows] == [f"id_{index}/01_1_front" for index in range(3)]
    assert {row.status for row in report.rows} == {"made"}
    assert seen == [(index + 1, 3, f"id_{index}/01_1_front.png") for index in range(3)]
    for row in report.rows:
        assert {path.name for path in (tmp_path / "out" / row.sample).iterdir()} == set(WRITTEN_FILES)
    assert report.summary() == "3 made, 0 kept, 0 rejected"


def test_what_a_sample_holds(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "out", margin=2)
    photo = Photo.read(photos / "id_0" / "01_1_front.png")
    segmentation = DeepfashionSegmenter(DeepfashionConfig(), None).segment(photo)
    folder = tmp_path / "out" / "id_0" / "01_1_front"
    apparel, kept = read_cutout(folder / "apparel_head_foot.png")
    expected = make_agnostic(photo.pixels, segmentation, 2)
    assert np.array_equal(apparel, expected.apparel) and np.array_equal(kept, expected.keep)
    skin = read_mask(folder / "segmentation_skin.png")
    assert np.array_equal(skin, segmentation.region("skin"))
    assert not (kept & dilate(skin, 2)).any()
    mask = read_mask(folder / "mask.png")
    assert np.array_equal(mask, segmentation.person & ~kept)
    assert not (skin & ~mask).any() and not (mask & ~dilate(skin, 2)).any() and (mask & ~skin).any()
    assert np.array_equal(read_labels(folder / "parsing.png"), segmentation.labels)
    assert np.array_equal(np.asarray(Image.open(folder / "body.png")), expected.body)
    record = read_record(folder)
    assert record is not None
    assert record["source"] == "id_0/01_1_front.png"
    assert record["facts"]["view"] == "front" and record["facts"]["body"] == "full"
    assert record["facts"]["skin_fraction"] == pytest.approx(skin.sum() / segmentation.person.sum(), abs=1e-6)
    assert tuple(record["classes"]) == segmentation.classes
    assert str(tmp_path) not in json.dumps(record)


def test_crop_to_the_person(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "whole")
    run(photos, tmp_path / "crop", crop={"aspect": 2.0, "margin": 0.25})
    for index in range(3):
        folder = tmp_path / "crop" / f"id_{index}" / "01_1_front"
        _, kept = read_cutout(folder / "apparel_head_foot.png")
        height, width = kept.shape
        assert height == pytest.approx(2 * width, abs=1)
        # the margin is on both sides of the person, which stays whole
        _, before = read_cutout(tmp_path / "whole" / f"id_{index}" / "01_1_front" / "apparel_head_foot.png")
        assert kept.sum() == before.sum()
        masks = [
            read_mask(tmp_path / way / f"id_{index}" / "01_1_front" / "mask.png") for way in ("whole", "crop")
        ]
        assert masks[1].shape == kept.shape and masks[0].sum() == masks[1].sum() > 0
        rows, columns = np.nonzero((np.asarray(Image.open(folder / "body.png")) < 255).any(axis=2))
        assert rows.min() == pytest.approx(height - 1 - rows.max(), abs=1)
        assert columns.min() == pytest.approx(width - 1 - columns.max(), abs=1)
        longer = max(np.ptp(rows), np.ptp(columns)) + 1
        assert min(rows.min(), columns.min()) == pytest.approx(longer / 4, abs=1)
        (pose,) = read_openpose_json(folder / "keypoints.json")
        (whole,) = read_openpose_json(tmp_path / "whole" / f"id_{index}" / "01_1_front" / "keypoints.json")
        moved = (pose.points - whole.points)[pose.found(), :2]
        assert np.abs(moved - moved[0]).max() < 1e-3
        line = np.asarray(Image.open(folder / "line.png"))
        x, y = np.round(pose.point("Neck")[:2]).astype(int)
        assert line[y, x].any()


def test_a_second_run_keeps_everything(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.png")}
    report = run(photos, tmp_path / "out")
    assert report.count("kept") == 3
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.png")} == before


def test_samples_of_other_photos_are_in_the_report(
    photos: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert run(photos, tmp_path / "out").other_samples == ()
    shutil.rmtree(photos / "id_0")
    (photos / "id_1" / "01_1_front.png").write_bytes(b"damaged")  # its sample is removed
    # a killed run replaced this sample, and the next one restores it
    (tmp_path / "out" / "id_2" / "01_1_front").rename(tmp_path / "out" / "id_2" / ".01_1_front.replaced")
    shutil.rmtree(photos / "id_2")
    (tmp_path / "out" / "incomplete").mkdir()
    (tmp_path / "out" / "incomplete" / "sample.json").write_text("{}", "utf-8")
    report = run(photos, tmp_path / "out")
    assert report.count("rejected") == 1
    assert report.other_samples == ("id_0/01_1_front", "id_2/01_1_front")
    assert not caplog.messages


@pytest.mark.parametrize("suffix", [".png", "_segment.png", "_keypoints.json"])
def test_a_changed_file_is_made_anew(
    photos: Path, tmp_path: Path, write_photo: PhotoWriter, suffix: str
) -> None:
    run(photos, tmp_path / "out")
    write_photo(tmp_path / "other" / "01_1_front.png", 9)
    shutil.copy(tmp_path / "other" / f"01_1_front{suffix}", photos / "id_1" / f"01_1_front{suffix}")
    report = run(photos, tmp_path / "out")
    assert [row.status for row in report.rows] == ["kept", "made", "kept"]
    fresh = run(photos, tmp_path / "fresh")
    assert fresh.count("made") == 3
    assert tree(tmp_path / "out") == tree(tmp_path / "fresh")


def test_changed_settings_make_everything_anew(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "out", margin=1)
    assert run(photos, tmp_path / "out", margin=4).count("made") == 3
    run(photos, tmp_path / "fresh", margin=4)
    assert tree(tmp_path / "out") == tree(tmp_path / "fresh")


def test_a_sample_that_lost_a_file_is_made_anew(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "out")
    (tmp_path / "out" / "id_1" / "01_1_front" / "line.png").unlink()
    assert [row.status for row in run(photos, tmp_path / "out").rows] == ["kept", "made", "kept"]


def test_touching_a_photo_changes_nothing(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "out")
    os.utime(photos / "id_0" / "01_1_front.png", (1, 1))
    assert run(photos, tmp_path / "out").count("kept") == 3


def test_filters_act_on_finished_samples_too(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "out")
    notes = tmp_path / "out" / "id_0" / "01_1_front" / "notes.txt"
    notes.write_text("mine")
    report = run(photos, tmp_path / "out", body="upper")
    assert report.reasons() == {"other part of the body": 3}
    # the samples are gone, what prepare did not write is not
    assert set(tree(tmp_path / "out")) == {"id_0/01_1_front/notes.txt", "rejected.csv"}
    assert run(photos, tmp_path / "out").count("made") == 3


def test_left_out_and_why(photos: Path, tmp_path: Path, write_photo: PhotoWriter) -> None:
    side = write_photo(photos / "id_3" / "01_2_side.png", 3)
    nobody = write_photo(photos / "id_4" / "01_1_front.png", 4)
    Image.new("RGB", (64, 96)).save(nobody.with_name("01_1_front_segment.png"))
    no_people = write_photo(photos / "id_5" / "01_1_front.png", 5)
    no_people.with_name("01_1_front_keypoints.json").write_text('{"people": []}')
    corrupt = write_photo(photos / "id_6" / "01_1_front.png", 6)
    corrupt.write_bytes(corrupt.read_bytes()[:200])
    no_map = write_photo(photos / "id_7" / "01_1_front.png", 7)
    no_map.with_name("01_1_front_segment.png").unlink()
    small_map = write_photo(photos / "id_8" / "01_1_front.png", 8)
    Image.new("RGB", (32, 48)).save(small_map.with_name("01_1_front_segment.png"))
    no_pose = write_photo(photos / "id_9" / "01_1_front.png", 9)
    no_pose.with_name("01_1_front_keypoints.json").unlink()
    report = run(photos, tmp_path / "out")
    assert report.count("made") == 3
    found = {Path(row.photo).parent.name: (row.reason, row.detail) for row in report.rejected()}
    reasons = {name: reason for name, (reason, _) in found.items()}
    assert reasons == {
        "id_3": "other view",
        "id_4": "nobody in the photo",
        "id_5": "no pose found",
        "id_6": "photo cannot be read",
        "id_7": "segmentation failed",
        "id_8": "segmentation failed",
        "id_9": "pose failed",
    }
    for photo, name in ((corrupt, "id_6"), (no_map, "id_7"), (small_map, "id_8"), (no_pose, "id_9")):
        assert str(photo.parent) in found[name][1]
    with (tmp_path / "out" / "rejected.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["photo"] for row in rows] == [row.photo for row in report.rejected()]
    assert rows[0] == {
        "photo": side.relative_to(photos).as_posix(),
        "reason": "other view",
        "detail": "side, wanted: front; --view front --view side keeps it",
    }


def test_views_from_the_pose_where_the_name_is_silent(
    photos: Path, tmp_path: Path, write_photo: PhotoWriter
) -> None:
    shutil.rmtree(photos)
    photo = write_photo(photos / "anna.png", 0)
    assert run(photos, tmp_path / "out", views=["back"]).reasons() == {"other view": 1}
    assert run(photos, tmp_path / "out").count("made") == 1
    pose_file = photo.with_name("anna_keypoints.json")
    pose = json.loads(pose_file.read_text())
    points = np.array(pose["people"][0]["pose_keypoints_2d"]).reshape(25, 3)
    points[[2, 5]] = points[[5, 2]]
    pose["people"][0]["pose_keypoints_2d"] = points.ravel().tolist()
    pose_file.write_text(json.dumps(pose))
    assert run(photos, tmp_path / "out", views=["back"]).count("made") == 1


def test_least_skin(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "out")
    fractions = []
    for index in range(3):
        record = read_record(tmp_path / "out" / f"id_{index}" / "01_1_front")
        assert record is not None
        fractions.append(record["facts"]["skin_fraction"])
    report = run(photos, tmp_path / "out", min_skin=sorted(fractions)[1])
    assert report.count("kept") == 2 and report.reasons() == {"too little skin": 1}


def test_a_bad_photo_stops_everything_where_that_is_wanted(photos: Path, tmp_path: Path) -> None:
    (photos / "id_1" / "01_1_front.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"id_1/01_1_front\.png: cannot be read: corrupt"):
        run(photos, tmp_path / "out", on_error="fail")
    # what was finished stays
    assert (tmp_path / "out" / "id_0" / "01_1_front" / "sample.json").is_file()


def test_the_number_of_processes_does_not_show(
    photos: Path, tmp_path: Path, write_photo: PhotoWriter
) -> None:
    write_photo(photos / "id_3" / "01_2_side.png", 3)
    (photos / "id_1" / "01_1_front.png").write_bytes(b"no image")
    one = run(photos, tmp_path / "one", num_workers=1)
    two = run(photos, tmp_path / "two", num_workers=2)
    assert [row.status for row in two.rows] == ["made", "rejected", "made", "rejected"]
    assert one == two
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_a_full_disk_is_told_in_one_sentence(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.parent.parent.name == "id_1":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RunError, match=r"id_1/01_1_front: the disk is full; finished samples are kept"):
        run(photos, tmp_path / "out")
    assert set(tree(tmp_path / "out")) == {f"id_0/01_1_front/{name}" for name in WRITTEN_FILES}


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EROFS, errno.EIO])
def test_a_folder_that_cannot_be_locked(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    fcntl = pytest.importorskip("fcntl", reason="file locks of another kind")

    def reject(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", reject)
    with pytest.raises(RunError, match=f"out: cannot be written: {os.strerror(number)}"):
        run(photos, tmp_path / "out")


def test_a_lock_that_cannot_be_opened(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def reject(path: Any, *rest: Any, **more: Any) -> int:
        if str(path).endswith(".prepare.lock"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *rest, **more)

    monkeypatch.setattr(os, "open", reject)
    with pytest.raises(RunError, match="out: cannot be written: Permission denied"):
        run(photos, tmp_path / "out")


def test_unusable_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: no such folder, archive or list"):
        run(tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty: no photos in it"):
        run(tmp_path / "empty", tmp_path / "out")
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("file", "loop", "link"):
        with pytest.raises(DataError, match=f"{name}: not a folder; give another output folder"):
            run(tmp_path / "empty", tmp_path / name)
    with pytest.raises(DataError, match="file: neither a folder nor an archive or a list"):
        run(tmp_path / "file", tmp_path / "out")


def test_an_unreadable_folder(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir

    def reject(path: str) -> Any:
        if str(path).endswith("id_1"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", reject)
    report = run(photos, tmp_path / "out")
    assert [(row.photo, row.reason) for row in report.rejected()] == [("id_1/", "folder cannot be read")]
    assert report.count("made") == 2
    with pytest.raises(DataError, match="the folder cannot be read: Permission denied"):
        run(photos, tmp_path / "out", on_error="fail")


def test_the_output_may_lie_among_the_photos(photos: Path) -> None:
    run(photos, photos / "out")
    report = run(photos, photos / "out")
    assert report.count("kept") == len(report.rows) == 3


def test_two_photos_of_one_name(photos: Path, tmp_path: Path) -> None:
    Image.open(photos / "id_0" / "01_1_front.png").save(photos / "id_0" / "01_1_front.jpg")
    report = run(photos, tmp_path / "out")
    assert report.count("made") == 3
    assert [(row.photo, row.reason) for row in report.rejected()] == [
        ("id_0/01_1_front.png", "name already taken")
    ]


def test_a_photo_inside_another_ones_sample(photos: Path, tmp_path: Path, write_photo: PhotoWriter) -> None:
    write_photo(photos / "id_0" / "01_1_front" / "01_1_front.png", 3)
    report = run(photos, tmp_path / "out")
    assert report.count("made") == 3 and report.reasons() == {"name already taken": 1}


def test_samples_of_others_are_not_overwritten(photos: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "out" / "id_1" / "01_1_front"
    theirs.mkdir(parents=True)
    (theirs / "body.png").write_text("precious")
    with pytest.raises(RunError, match="id_1/01_1_front: holds a sample that prepare did not write"):
        run(photos, tmp_path / "out")
    assert tree(theirs) == {"body.png": b"precious"}


def test_a_segmenter_that_cannot_tell_skin_is_refused(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def segment(self: DeepfashionSegmenter, photo: Photo) -> Segmentation:
        return Segmentation(np.ones(photo.size, np.uint8), ("none", "all"), {"background": ("none",)})

    monkeypatch.setattr(DeepfashionSegmenter, "segment", segment)
    with pytest.raises(RunError, match="the segmenter does not find skin"):
        run(photos, tmp_path / "out")


def test_a_label_map_of_another_size_than_the_photo(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def segment(self: DeepfashionSegmenter, photo: Photo) -> Segmentation:
        return Segmentation(np.zeros((5, 5), np.uint8), ("none",), {"background": ("none",)})

    monkeypatch.setattr(DeepfashionSegmenter, "segment", segment)
    report = run(photos, tmp_path / "out")
    assert report.reasons() == {"segmentation failed": 3}
    assert "5x5 labels for a photo of 96x64" in report.rows[0].detail


@needs_photos
def test_real_photos_do_not_leak_skin(tmp_path: Path) -> None:
    source = PHOTOS
    for photo in sorted(source.rglob("*_front.jpg"))[:4]:
        target = tmp_path / "photos" / photo.relative_to(source).parent
        target.mkdir(parents=True)
        for path in (photo, photo.with_name(f"{photo.stem}_segment.png")):
            (target / path.name).symlink_to(path)
    pose_encoder = use("pose_encoder", "openpose", folder=source / "openpose")
    report = run(tmp_path / "photos", tmp_path / "out", pose_encoder=pose_encoder, crop={"aspect": 2.0})
    assert report.count("made") == 4
    for row in report.rows:
        folder = tmp_path / "out" / row.sample
        _, kept = read_cutout(folder / "apparel_head_foot.png")
        skin = read_mask(folder / "segmentation_skin.png")
        assert skin.any() and not (dilate(skin, 3) & kept).any()
        mask = read_mask(folder / "mask.png")
        assert not (mask & kept).any() and not (skin & ~mask).any() and mask.sum() > skin.sum()
        # a person fills about 15% of the square photo, and at least a quarter of the crop
        assert (kept | skin).mean() > 0.25


def test_prepared_samples_among_the_photos_are_no_photos(photos: Path, tmp_path: Path) -> None:
    run(photos, photos / "first")
    report = run(photos, tmp_path / "out")
    assert [row.photo for row in report.rows] == [f"id_{index}/01_1_front.png" for index in range(3)]


def test_samples_may_not_lie_among_the_photos(photos: Path) -> None:
    before = tree(photos)
    with pytest.raises(DataError, match="samples must not be among the photos"):
        run(photos, photos)
    assert tree(photos) == before


def test_one_pose_file_for_two_photos_is_refused(photos: Path, tmp_path: Path) -> None:
    flat = tmp_path / "poses"
    flat.mkdir()
    for path in sorted(photos.rglob("*.json")):
        shutil.move(path, flat / path.name)
    poses = use("pose_encoder", "openpose", folder=flat)
    with pytest.raises(DataError, match=r"id_0/01_1_front.png and .*id_1/01_1_front.png .*_keypoints.json"):
        run(photos, tmp_path / "out", pose_encoder=poses)
    # alone it is not another photo's: the last one moved is left
    shutil.rmtree(photos / "id_0")
    shutil.rmtree(photos / "id_1")
    assert run(photos, tmp_path / "out", pose_encoder=poses).count("made") == 1


def test_why_there_is_no_pose(photos: Path, tmp_path: Path) -> None:
    (photos / "id_0" / "01_1_front_keypoints.json").write_text('{"people": []}')
    beside = {"people": [{"pose_keypoints_2d": [1.0, 2.0, 0.9] * 25}]}
    (photos / "id_1" / "01_1_front_keypoints.json").write_text(json.dumps(beside))
    nobody, elsewhere, _ = run(photos, tmp_path / "out").rows
    assert nobody.reason == elsewhere.reason == "no pose found"
    assert nobody.detail.endswith("01_1_front_keypoints.json has no pose; try another pose encoder")
    assert elsewhere.detail.endswith(
        "has 1 pose, but none on the person; check that it belongs to this photo"
    )


def in_atr(photos: Path, count: int) -> None:
    """Rewrite the drawn people as codes of ATR, and add more of them."""
    # right_arm has the code of DeepFashion-MultiModal's skin: without any skin photos are left out anyway
    names = {**ATR_NAMES, "skin": "right_arm"}
    for seed in range(count):
        folder = photos / f"id_{seed}"
        write_person(folder / "01_1_front.png", folder / "01_1_front_segment.png", "atr", names, seed)
        pose = Keypoints(draw_person(seed, (96, 64)).points)
        (folder / "01_1_front_keypoints.json").write_text(json.dumps(pose.to_json()))


@pytest.mark.parametrize("count", [2, 4])
def test_maps_of_another_label_set_are_noticed(photos: Path, tmp_path: Path, count: int) -> None:
    shutil.rmtree(photos)
    in_atr(photos, count)
    wrong = use("segmenter", "label_map", labels="deepfashion_multimodal", suffix="_segment.png")
    if count > 2:
        with pytest.raises(DataError, match=r'4 of 4 label maps are implausible .* set labels "atr"'):
            run(photos, tmp_path / "out", segmenter=wrong)
        assert len((tmp_path / "out" / "rejected.csv").read_text().splitlines()) == 1 + count
    else:
        report = run(photos, tmp_path / "out", segmenter=wrong)
        assert report.reasons() == {"label map implausible": count}
        assert all('with labels "atr" they would' in row.detail for row in report.rows)
        with pytest.raises(DataError, match=r"01_1_front_segment\.png: the regions do not match"):
            run(photos, tmp_path / "out", segmenter=wrong, on_error="fail")
    # the check can be turned off, and sees finished samples when it is on again
    assert run(photos, tmp_path / "out", segmenter=wrong, check_labels=False).count("made") == count
    right = use("segmenter", "label_map", labels="atr", suffix="_segment.png")
    assert run(photos, tmp_path / "right", segmenter=right).count("made") == count
    with pytest.raises(DataError, match="implausible") if count > 2 else nullcontext():
        assert run(photos, tmp_path / "out", segmenter=wrong).count("kept") == 0


def test_a_minimum_confidence_needs_a_segmenter_that_says_how_sure_it_is(
    photos: Path, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match="the segmenter 'deepfashion' does not say how sure it is"):
        run(photos, tmp_path / "out", min_confidence=0.9)
