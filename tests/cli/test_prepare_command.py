"""The real prepare command."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import IO

import pytest
from click.testing import CliRunner, Result
from drawn_photos import write_drawn_photo
from filelock import FileLock
from PIL import Image

from skinfw.cli import main
from skinfw.cli.prepare import _examples
from skinfw.preparation.report import Row


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two front views and a side view, the poses in a folder of their own."""
    for index, name in enumerate(("id_0/01_1_front", "id_1/01_1_front", "id_1/01_2_side")):
        photo, poses = tmp_path / "photos" / f"{name}.jpg", tmp_path / "poses" / name
        write_drawn_photo(photo, index, pose_folder=poses.parent)
    return tmp_path / "photos"


def prepare(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["prepare", *map(str, arguments), "--num-workers", "1"])


def pose_option(photos: Path) -> tuple[str, str]:
    return "--pose-encoder", json.dumps({"type": "openpose", "folder": str(photos.parent / "poses")})


def test_prepares_and_tells_what_was_left_out(photos: Path, tmp_path: Path) -> None:
    arguments = [
        "prepare",
        *(str(photos), str(tmp_path / "out"), "--crop", "person", "--aspect", "256:128"),
        *(*pose_option(photos), "--num-workers", "1"),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "skinfw", *arguments], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "2 made, 0 kept, 1 rejected" in done.stdout
    assert "other view" in done.stdout and "side, wanted: front" in done.stdout
    with Image.open(tmp_path / "out" / "id_0" / "01_1_front" / "body.png") as body:
        assert body.height == pytest.approx(2 * body.width, abs=1)
    assert "id_1/01_2_side.jpg" in (tmp_path / "out" / "rejected.csv").read_text()


@contextmanager
def started(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Start skinfw with these arguments; it has ended after the block, however the block was left."""
    command = [sys.executable, "-m", "skinfw", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def next_line(stream: IO[str], seconds: float) -> str:
    """Return the next line of a stream.

    Raises:
        queue.Empty: none came within that time.
    """
    lines: Queue[str] = Queue()
    Thread(target=lambda: lines.put(stream.readline()), daemon=True).start()
    return lines.get(timeout=seconds)


def test_the_second_at_one_folder_says_that_it_waits(photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    output.mkdir()
    lock = FileLock(output / ".prepare.lock")
    with lock, started("prepare", photos, output, *pose_option(photos), "--num-workers", "1") as process:
        assert process.stderr is not None
        assert next_line(process.stderr, 60) == (
            f"Warning: {output}: another process is preparing photos into it; waiting until it is done\n"
        )
        assert process.poll() is None and not list(output.glob("id_*"))
        lock.release()
        stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 0 and "2 made" in stdout
    assert stderr == ""


def test_a_second_run_keeps_everything(photos: Path, tmp_path: Path) -> None:
    options = (*pose_option(photos), "--view", "front", "--view", "side", "--body", "full")
    assert "3 made" in prepare(photos, tmp_path / "out", *options).stdout
    second = prepare(photos, tmp_path / "out", *options)
    assert second.exit_code == 0
    assert second.stdout == "0 made, 3 kept, 0 rejected\n"


def test_samples_of_photos_that_are_gone_are_named(photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    views = ("--view", "front", "--view", "side")
    assert not prepare(photos, output, *pose_option(photos), *views).stderr
    shutil.rmtree(photos / "id_0")
    done = prepare(photos, output, *pose_option(photos), *views)
    assert done.exit_code == 0 and done.stdout == "0 made, 2 kept, 0 rejected\n"
    assert done.stderr == (
        f"Warning: {output}: also holds 1 sample of other photos, which the data set folder reads too: "
        "id_0/01_1_front; remove what you do not want\n"
    )
    (output / "excluded.jsonl").write_text('"id_0/01_1_front"\n', "utf-8")  # which no data set reads
    assert not prepare(photos, output, *pose_option(photos), *views).stderr


def test_names_are_no_markup(photos: Path, tmp_path: Path) -> None:
    folder = photos / "id_0" / "a["
    folder.mkdir()
    (folder / "bold].jpg").write_bytes(b"no image")
    done = prepare(photos, tmp_path / "out", *pose_option(photos))
    assert done.exit_code == 0, done.output
    assert "id_0/a[/bold].jpg" in "".join(done.stdout.split()).replace("│", "")


def test_nothing_usable_is_an_error_that_says_where_to_look(photos: Path, tmp_path: Path) -> None:
    done = prepare(photos, tmp_path / "out", "--pose-encoder", "openpose")
    assert done.exit_code == 2
    assert "pose failed" in done.stdout
    assert "no photo became a sample" in done.stderr and "rejected.csv says why for each" in done.stderr


def test_a_bad_photo_can_be_fatal(photos: Path, tmp_path: Path) -> None:
    (photos / "id_0" / "01_1_front.jpg").write_bytes(b"no image")
    skipped = prepare(photos, tmp_path / "out", *pose_option(photos))
    assert skipped.exit_code == 0 and "photo cannot be read" in skipped.stdout
    fatal = prepare(photos, tmp_path / "out", *pose_option(photos), "--on-error", "fail")
    assert fatal.exit_code == 2
    assert "Error: " in fatal.stderr and "01_1_front.jpg: cannot be read: corrupt" in fatal.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--margin", "-1"), "--margin: must be at least 0"),
        (("--min-skin", "3"), "--min-skin: must be at most 1"),
        (("--aspect", "2:1"), "--aspect and --crop-margin need --crop person"),
        (("--crop", "person", "--aspect", "2:x"), "--aspect 2:x: give height:width"),
        (("--crop", "person", "--aspect", "1:0"), "--aspect 1:0: give height:width"),
        (
            ("--crop", "person", "--crop-margin", "7"),
            "--crop-margin: must be at most 1",
        ),
        (("--people", "0"), "--people: must be at least 1"),
        (("--max-cut-off", "2"), "--max-cut-off: must be at most 1"),
        (("--duplicate-distance", "40"), "--duplicate-distance: must be at most 16"),
        (("--rate", "0"), "--rate: must be above 0"),
        (("--ignore-robots",), "No such option"),
        (("--address", "auto"), "--address needs --engine ray"),
        (("--config", "nowhere.json"), "nowhere.json: no such file"),
        (("--segmenter", "deepfashoin"), "did you mean 'deepfashion'?"),
        (("--segmenter", '{"type": "deepfashion", "palete": 1}'), "did you mean 'palette'?"),
        (("--pose-encoder", '{"type"'), "--pose-encoder: not valid JSON"),
    ],
)
def test_wrong_options(photos: Path, tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    done = prepare(photos, tmp_path / "out", *options)
    assert done.exit_code == 2
    assert message in done.stderr
    assert not (tmp_path / "out").exists()


def test_no_such_folder(tmp_path: Path) -> None:
    done = prepare(tmp_path / "nowhere", tmp_path / "out")
    assert done.exit_code == 2
    assert "nowhere: no such folder" in done.stderr


def test_the_filters_are_options(photos: Path, tmp_path: Path) -> None:
    def summary(*options: str) -> str:
        done = prepare(photos, tmp_path / "out", *pose_option(photos), *options)
        assert done.exception is None or isinstance(done.exception, SystemExit)
        return done.output

    assert "2 made" in summary("--people", "1", "--min-size", "64", "--min-person", "40")
    for option, value, reason in (
        ("--min-size", "65", "photo too small"),
        ("--min-person", "97", "person too small"),
        ("--min-sharpness", "1e9", "not sharp"),
        ("--require-class", "bag", "required class missing"),
        ("--exclude-class", "skin", "excluded class shown"),
    ):
        told = summary(option, value)
        assert "0 made, 0 kept, 3 rejected" in told and reason in told
    assert "no class 'jeans'; it has: background, top" in summary("--require-class", "jeans")


def test_all_settings_from_a_file(photos: Path, tmp_path: Path) -> None:
    file = tmp_path / "prepare.json"
    file.write_text(json.dumps({"views": ["side"], "min_size": 64, "fetch": {"timeout": 5}}))
    done = prepare(photos, tmp_path / "out", *pose_option(photos), "--config", str(file), "--rate", "2")
    assert "1 made, 0 kept, 2 rejected" in done.output
    # options override the file, also within its crop
    file.write_text(json.dumps({"views": ["side"], "crop": {"aspect": 2, "margin": 0.25}}))
    done = prepare(photos, tmp_path / "crop", *pose_option(photos), "--config", str(file), "--aspect", "3:1")
    (record,) = (tmp_path / "crop").rglob("sample.json")
    made_with = json.loads(record.read_text(encoding="utf-8"))["made_with"]
    assert made_with["crop"] == {"aspect": 3.0, "margin": 0.25}
    file.write_text(json.dumps({"views": ["side"], "min_size": 64, "fetch": {"timeout": 5}}))
    done = prepare(photos, tmp_path / "out", *pose_option(photos), "--config", str(file), "--view", "front")
    assert "2 made, 0 kept, 1 rejected" in done.output
    file.write_text(json.dumps({"min_sise": 64, "people": 0}))
    done = prepare(photos, tmp_path / "out", "--config", str(file))
    assert done.exit_code == 2
    assert f"{file}: 2 errors" in done.stderr and "did you mean 'min_size'?" in done.stderr
    file.write_text("[]")
    assert prepare(photos, tmp_path / "out", "--config", str(file)).exit_code == 2


def test_an_archive(photos: Path, tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "all"), "zip", photos)
    done = prepare(archive, tmp_path / "out", *pose_option(photos), "--duplicates", "drop")
    assert done.exit_code == 0, done.stderr
    assert "2 made, 0 kept, 1 rejected" in done.output


def test_a_missing_folder_of_poses_is_one_error(photos: Path, tmp_path: Path) -> None:
    shutil.rmtree(photos.parent / "poses")
    done = prepare(photos, tmp_path / "out", *pose_option(photos))
    assert done.exit_code == 2 and not done.stdout
    assert done.stderr.startswith(f"Error: {photos.parent / 'poses'}: no such folder; ")


def test_what_is_wrong_with_many_photos_is_said_once(photos: Path, tmp_path: Path) -> None:
    for index in range(2, 5):
        write_drawn_photo(photos / f"id_{index}" / "01_1_front.jpg", index)
    for index in range(4):
        path = photos / f"id_{index}" / "01_1_front_segment.png"
        if index == 3:
            Image.new("L", (64, 96), 77).save(path)
        else:
            path.unlink()
    readers = ("--segmenter", "deepfashion", "--pose-encoder", "openpose")
    done = prepare(photos, tmp_path / "out", "--view", "front", *readers)
    table = " ".join(done.stdout.replace("│", " ").split())
    assert "1 made, 0 kept, 5 rejected" in table
    assert table.count("is missing") == table.count("(3 like this)") == 1
    assert table.count("has the class code 77") == 1


@pytest.mark.parametrize("name", ["", "/", ".", "a/.", "...png", "a.b/c.d"])
def test_an_example_names_its_photo_once(name: str) -> None:
    row = Row(name, "", "rejected", "name cannot be used", f"{name}: unfit")
    assert _examples([row]) == [f"{name}: unfit"]
    missing = Row("a/b.png", "", "rejected", "photo cannot be read", "x/a/b_segment.png: is missing")
    assert _examples([missing]) == ["x/a/b_segment.png: is missing"]
    assert _examples([replace(missing, detail="empty")]) == ["a/b.png: empty"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_preparation_says_how_it_goes_on(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    def interrupt(*_: object) -> None:
        signal.raise_signal(number)

    monkeypatch.setattr("skinfw.preparation.preparer.PhotoPreparer.prepare", interrupt)
    done = prepare(photos, tmp_path / "out", *pose_option(photos))
    assert done.exit_code == 130
    assert "Run the same command again to continue" in done.stderr
