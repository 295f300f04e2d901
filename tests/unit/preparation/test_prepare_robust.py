"""Nothing but a full disk stops a run: images of every kind, components that fail, processes that die."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from drawn_photos import write_drawn_photo
from PIL import Image

from skinfw.components.reference import ComponentSpec, use
from skinfw.data.sample_folder import read_record
from skinfw.errors import DataError, RunError
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.prepare import prepare
from skinfw.preparation.report import PrepareReport

PhotoWriter = Callable[..., Path]
POSES = use("pose_encoder", "openpose")


def run(root: Path, output: Path, segmenter: ComponentSpec | None = None, **settings: Any) -> PrepareReport:
    config = PrepareConfig.model_validate({"num_workers": 1, **settings})
    return prepare(root, output, segmenter or use("segmenter", "deepfashion"), POSES, config)


def reasons(report: PrepareReport) -> dict[str, str | None]:
    return {Path(row.photo).parent.name: row.reason for row in report.rows}


@pytest.fixture
def photos(tmp_path: Path, write_photo: PhotoWriter) -> Path:
    for index, name in enumerate(("fine", "memory", "value", "zoe")):
        write_photo(tmp_path / "photos" / name / "01_1_front.png", index)
    return tmp_path / "photos"


def test_a_failing_component_costs_one_photo(
    photos: Path, tmp_path: Path, troubled: ComponentSpec, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "skinfw"):
        report = run(photos, tmp_path / "out", troubled)
    assert reasons(report) == {
        "fine": None, "memory": "component failed", "value": "component failed", "zoe": None
    }  # fmt: skip
    details = {Path(row.photo).parent.name: row.detail for row in report.rejected()}
    place = photos / "value" / "01_1_front.png"
    assert details["value"] == f"{place}: ValueError: operands could not be broadcast"
    assert "MemoryError: Unable to allocate 40 GiB" in details["memory"]
    traced = [record for record in caplog.records if record.exc_info and record.levelno == logging.DEBUG]
    assert len(traced) == 2


def test_a_failing_component_stops_everything_where_that_is_wanted(
    photos: Path, tmp_path: Path, troubled: ComponentSpec
) -> None:
    with pytest.raises(DataError, match=r"memory/01_1_front\.png: MemoryError: Unable to allocate"):
        run(photos, tmp_path / "out", troubled, on_error="fail")


def test_a_photo_that_kills_its_process_costs_one_photo(
    photos: Path, tmp_path: Path, troubled: ComponentSpec, write_photo: PhotoWriter
) -> None:
    write_photo(photos / "kill" / "01_1_front.png", 5)
    write_photo(photos / "last" / "01_1_front.png", 6)
    report = run(photos, tmp_path / "out", troubled, num_workers=2)
    assert reasons(report) == {
        "fine": None, "kill": "component failed", "last": None, "memory": "component failed",
        "value": "component failed", "zoe": None,
    }  # fmt: skip
    assert "kill/01_1_front.png: the process that prepared it ended unexpectedly" in report.rows[1].detail
    with pytest.raises(DataError, match=r"kill/01_1_front\.png: the process that prepared it ended"):
        run(photos, tmp_path / "other", troubled, num_workers=2, on_error="fail")


def test_processes_that_cannot_start_are_told(photos: Path, tmp_path: Path, troubled: ComponentSpec) -> None:
    with pytest.raises(RunError, match="the processes cannot start"):
        run(photos, tmp_path / "out", use("segmenter", "troubled_start"), num_workers=2)


@pytest.mark.parametrize(("segmenter", "threads"), [("troubled", "1 None"), ("troubled_torch", "1 1")])
def test_a_process_computes_with_one_thread(
    tmp_path: Path, troubled: ComponentSpec, write_photo: PhotoWriter, segmenter: str, threads: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    for index in range(2):
        write_photo(tmp_path / "photos" / "threads" / f"0{index}_1_front.png", index)
    report = run(tmp_path / "photos", tmp_path / "out", use("segmenter", segmenter), num_workers=2)
    assert {row.detail.partition("ValueError: ")[2] for row in report.rows} == {threads}


def test_a_fingerprint_of_weights_makes_samples_anew(
    tmp_path: Path, troubled: ComponentSpec, write_photo: PhotoWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_photo(tmp_path / "photos" / "anna.png")
    run(tmp_path / "photos", tmp_path / "out", troubled)
    record = read_record(tmp_path / "out" / "anna")
    assert record is not None and "fingerprints" not in record["made_with"]
    for weights, status in (("abc", "made"), ("abc", "kept"), ("def", "made"), ("", "made"), ("", "kept")):
        monkeypatch.setenv("TROUBLED_WEIGHTS", weights)
        assert run(tmp_path / "photos", tmp_path / "out", troubled).rows[0].status == status


def _modes(image: Image.Image) -> dict[str, tuple[Image.Image, str, dict[str, Any]]]:
    """Return the image in many modes, each with its ending and options."""
    gray = np.asarray(image.convert("L"), np.uint16) * 257
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned clockwise to be upright
    return {
        "cmyk": (image.convert("CMYK"), ".jpg", {}),
        "exif": (image.transpose(Image.Transpose.ROTATE_90), ".jpg", {"exif": turned}),
        "gray": (image.convert("L"), ".png", {}),
        "palette": (image.quantize(64), ".png", {}),
        "rgba": (image.convert("RGBA"), ".png", {}),
        "sixteen": (Image.fromarray(gray), ".png", {}),
    }


def test_images_of_every_mode_become_samples(tmp_path: Path, write_photo: PhotoWriter) -> None:
    photos = tmp_path / "photos"
    plain = write_photo(photos / "plain.png", 0, (96, 64))
    with Image.open(plain) as opened:
        image = opened.convert("RGB")
    for name, (changed, suffix, options) in _modes(image).items():
        write_photo(photos / f"{name}.png", 0, (96, 64)).unlink()
        changed.save(photos / f"{name}{suffix}", **options)
    report = run(photos, tmp_path / "out")
    made = ("exif", "gray", "palette", "plain", "rgba", "sixteen")
    # inks without a profile have no certain colors
    assert {row.sample: row.status for row in report.rows} == {
        **dict.fromkeys(made, "made"),
        "cmyk": "rejected",
    }
    expected = np.asarray(Image.open(tmp_path / "out" / "plain" / "body.png"), np.float64)
    for name in ("exif", "palette", "rgba"):
        made = np.asarray(Image.open(tmp_path / "out" / name / "body.png"), np.float64)
        assert made.shape == expected.shape
        assert np.abs(made - expected).mean() < 6, name


def test_odd_images_are_rows_not_tracebacks(tmp_path: Path, write_photo: PhotoWriter) -> None:
    photos = tmp_path / "photos"
    # two people side by side, their poses in one file
    left = write_photo(photos / "two" / "a.png", 1, (96, 64))
    right = write_photo(tmp_path / "other" / "a.png", 2, (96, 64))
    for suffix in (".png", "_segment.png"):
        pair = Image.new("RGB", (128, 96))
        for place, photo in ((0, left), (64, right)):
            pair.paste(Image.open(photo.with_name(f"a{suffix}")), (place, 0))
        pair.save(photos / "two" / f"a{suffix}")
    pose = left.with_name("a_keypoints.json")
    people = [json.loads(path.with_name(pose.name).read_text())["people"][0] for path in (left, right)]
    moved = np.array(people[1]["pose_keypoints_2d"]).reshape(25, 3)
    moved[moved[:, 2] > 0, 0] += 64
    people[1]["pose_keypoints_2d"] = moved.ravel().tolist()
    pose.write_text(json.dumps({"people": people}))
    # cut off at the knees
    for suffix in (".png", "_segment.png"):
        write_photo(tmp_path / "whole" / "a.png", 3, (96, 64))
        (photos / "cut").mkdir(exist_ok=True)
        Image.open(tmp_path / "whole" / f"a{suffix}").crop((0, 0, 64, 70)).save(photos / "cut" / f"a{suffix}")
    (tmp_path / "whole" / "a_keypoints.json").rename(photos / "cut" / "a_keypoints.json")
    nobody = write_photo(photos / "nobody" / "a.png", 4)
    Image.new("RGB", (64, 96)).save(nobody.with_name("a_segment.png"))
    write_photo(photos / "tiny" / "a.png", 5)
    Image.new("RGB", (1, 1), (250, 235, 215)).save(photos / "tiny" / "a.png")
    Image.new("RGB", (1, 1), (250, 235, 215)).save(photos / "tiny" / "a_segment.png")
    huge = write_photo(photos / "huge" / "a.png", 6)
    Image.new("1", (20_000, 20_000)).save(huge)
    truncated = write_photo(photos / "truncated" / "a.png", 7)
    truncated.write_bytes(truncated.read_bytes()[:-400])
    (photos / "empty").mkdir()
    (photos / "empty" / "a.jpg").touch()

    def rejected(**settings: Any) -> dict[str, str | None]:
        found = reasons(run(photos, tmp_path / "out", views=["front", "back", "side"], **settings))
        return {name: reason for name, reason in found.items() if reason is not None}

    always = {
        "empty": "photo cannot be read",
        "huge": "photo cannot be read",
        "nobody": "nobody in the photo",
        "tiny": "pose failed",
        "truncated": "photo cannot be read",
    }
    assert rejected() == always
    assert rejected(people=2) == always
    assert rejected(people=1) == {**always, "two": "too many people"}
    assert rejected(max_cut_off=0.0) == {**always, "cut": "person cut off"}
    assert rejected(min_size=2) == {**always, "tiny": "photo too small"}


def test_a_name_too_long_for_the_disk_costs_one_photo(tmp_path: Path, write_photo: PhotoWriter) -> None:
    photo = write_photo(tmp_path / "photos" / "anna.png")
    photo.with_name("b" * 240 + ".png").write_bytes(photo.read_bytes())
    report = run(tmp_path / "photos", tmp_path / "out")
    assert [row.reason for row in report.rows] == [None, "name too long"]


def test_a_path_too_long_for_the_disk_costs_one_photo(tmp_path: Path, write_photo: PhotoWriter) -> None:
    photo = write_photo(tmp_path / "anna.png")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(photo, "anna.png")
        archive.write(photo.with_name("anna_keypoints.json"), "anna_keypoints.json")
        archive.write(photo.with_name("anna_segment.png"), "anna_segment.png")
        archive.write(photo, "/".join(["b" * 200] * 25) + "/berta.png")
    report = run(tmp_path / "all.zip", tmp_path / "out")
    assert [row.reason for row in report.rows] == [None, "name too long"]


def test_a_script_needs_no_guard(tmp_path: Path) -> None:
    for seed in range(2):
        write_drawn_photo(tmp_path / "photos" / f"{seed}.png", seed)
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "import skinfw\n"
        "from skinfw.preparation.config import PrepareConfig\n"
        "from skinfw.preparation.prepare import prepare\n"
        "here = Path(__file__).parent\n"
        "parts = skinfw.use('segmenter', 'deepfashion'), skinfw.use('pose_encoder', 'openpose')\n"
        "report = prepare(here / 'photos', here / 'samples', *parts, PrepareConfig(num_workers=2))\n"
        "print(report.summary())\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 made, 0 kept, 0 rejected\n", "")


def test_a_killed_prepare_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    photos, output = tmp_path / "photos", tmp_path / "out"
    for seed in range(12):
        write_drawn_photo(photos / f"{seed}.png", seed)
    command = [sys.executable, "-m", "skinfw", "prepare", str(photos), str(output), "--num-workers", "2"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as killed:
        deadline = time.monotonic() + 300
        while not list(output.glob("*/sample.json")) and time.monotonic() < deadline:
            time.sleep(0.005)
        children = psutil.Process(killed.pid).children()
        killed.kill()
        _, alive = psutil.wait_procs(children, timeout=300)
    assert children and not alive
    # what a kill at the worst moments leaves
    whole = next(output.glob("*/sample.json")).parent
    shutil.copytree(whole, output / ".gone.unfinished")
    shutil.copytree(whole, output / ".older.replaced")
    (output / ".older.replaced" / "notes.txt").write_text("mine")
    (output / ".rejected.csv.999999999-3.tmp").touch()
    report = run(photos, output)
    assert report.count("rejected") == 0
    assert sorted(path.name for path in output.iterdir()) == sorted(
        ["rejected.csv", "older", *(str(seed) for seed in range(12))]
    )
    assert (output / "older" / "notes.txt").read_text() == "mine"
