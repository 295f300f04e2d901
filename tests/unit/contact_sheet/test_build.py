from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from skinfw.components.reference import use
from skinfw.contact_sheet.build import HEIGHT, build_sheet
from skinfw.data.excluded import EXCLUDED_FILE, write_excluded
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.prepare import prepare

NAMES = ["id_0/front", "id_1/front", "id_2/front"]


class Page(HTMLParser):
    """Collects what a page holds: ids, scripts and everything it refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids |= {found["id"] or ""} if "id" in found else set()
        self.links += [found[key] or "" for key in ("src", "href") if key in found]
        if tag not in ("meta", "input", "link", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def listed(output: Path) -> dict[str, Any]:
    text = (output / "samples.js").read_text(encoding="ascii")
    value: dict[str, Any] = json.loads(text.removeprefix("const sheet = ").removesuffix(";\n"))
    return value


@pytest.fixture
def samples(tmp_path: Path, write_photo: Callable[..., Path]) -> Path:
    for index, name in enumerate(NAMES):
        write_photo(tmp_path / "photos" / f"{name}.png", index, (192, 96))
    parts = use("segmenter", "deepfashion"), use("pose_encoder", "openpose")
    prepare(tmp_path / "photos", tmp_path / "samples", *parts, PrepareConfig(num_workers=1))
    return tmp_path / "samples"


def test_the_page_is_whole_and_refers_to_its_list_alone(samples: Path, tmp_path: Path) -> None:
    page = build_sheet(samples, NAMES, tmp_path / "out", num_workers=1)
    assert page == tmp_path / "out" / "index.html"
    parsed = Page(page.read_text(encoding="utf-8"))
    assert parsed.open == []
    assert parsed.links == ["samples.js"]
    assert {"samples", "filter", "back", "on", "save", "which", "count"} <= parsed.ids


def test_the_list_names_every_sample_with_its_strip(samples: Path, tmp_path: Path) -> None:
    write_excluded(samples, ["id_1/front", "gone"])
    seen: list[tuple[int, int]] = []
    output = tmp_path / "out"
    build_sheet(samples, NAMES[::-1], output, num_workers=1, progress=lambda *args: seen.append(args))
    sheet = listed(output)
    assert [name for name, _ in sheet["samples"]] == NAMES
    assert sheet["excluded"] == ["id_1/front"]
    assert sheet["shown"] == ["label map", "input", "pose map", "target"]
    assert seen == [(1, 3), (2, 3), (3, 3)]
    for _, strip in sheet["samples"]:
        # four images of 192x96 with three gaps of 4 pixels
        assert Image.open(output / strip).size == (4 * 96 + 3 * 4, 192)


def test_the_strip_shows_the_sample(samples: Path, tmp_path: Path) -> None:
    build_sheet(samples, NAMES, tmp_path / "out", photos=tmp_path / "photos", num_workers=1)
    sheet = listed(tmp_path / "out")
    assert sheet["shown"] == ["photo", "label map", "input", "pose map", "target"]
    strip = np.asarray(Image.open(tmp_path / "out" / sheet["samples"][0][1]).convert("RGB")).astype(int)
    expected = {
        0: tmp_path / "photos" / "id_0" / "front.png",
        1: samples / "id_0" / "front" / "parsing.png",
        4: samples / "id_0" / "front" / "body.png",
    }
    for place, path in expected.items():
        image = np.asarray(Image.open(path).convert("RGB")).astype(int)
        left = place * (96 + 4)
        # WebP halves the colors' resolution
        assert np.abs(strip[:, left : left + 96] - image).mean() < 8, path


def test_strips_stay_until_their_sample_changes(samples: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    build_sheet(samples, NAMES, output, num_workers=1)
    strips = {name: output / strip for name, strip in listed(output)["samples"]}
    before = {name: strip.stat().st_mtime_ns for name, strip in strips.items()}
    body = samples / "id_1" / "front" / "body.png"
    Image.new("RGB", (96, 192), (10, 200, 10)).save(body)
    build_sheet(samples, NAMES, output, num_workers=1)
    changed = [name for name, strip in strips.items() if strip.stat().st_mtime_ns != before[name]]
    assert changed == ["id_1/front"]
    assert Image.open(strips["id_1/front"]).convert("RGB").getpixel((390, 100))[1] > 150


def photo_of(output: Path) -> Any:
    """Return the middle of the photo in the first strip."""
    strip = Image.open(output / listed(output)["samples"][0][1]).convert("RGB")
    return strip.getpixel((48, 96))


def test_what_a_killed_inspect_left_is_removed(samples: Path, tmp_path: Path) -> None:
    left = [
        tmp_path / "sheet" / "strips" / "ab" / ".abc.webp.999999999-7.tmp",
        samples / f".{EXCLUDED_FILE}.999999999-1.tmp",
    ]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    build_sheet(samples, NAMES, tmp_path / "sheet")
    assert not any(path.exists() for path in left)


def test_other_photos_make_other_strips_and_leave_none_behind(samples: Path, tmp_path: Path) -> None:
    output, red, blue = tmp_path / "out", tmp_path / "red", tmp_path / "blue"
    for folder, color in ((red, (200, 10, 10)), (blue, (10, 10, 200))):
        for name in NAMES:
            (folder / name).parent.mkdir(parents=True)
            Image.new("RGB", (96, 192), color).save(folder / f"{name}.png")
    (output / "strips" / "mine").mkdir(parents=True)
    kept = [output / "strips" / "mine" / "holiday.webp", output / "strips" / "notes.txt"]
    for path in kept:
        path.write_bytes(b"somebody's own")
    for photos, channel in ((red, 0), (blue, 2), (red, 0)):
        build_sheet(samples, NAMES, output, photos=photos, num_workers=1)
        assert (
            photo_of(output)[channel]
            > 150
            > max(photo_of(output)[:channel] + photo_of(output)[channel + 1 :])
        )
        strips = {output / strip for _, strip in listed(output)["samples"]}
        assert len(strips) == 3
        assert {path for path in output.rglob("*") if path.is_file()} == {
            *strips, *kept, output / "index.html", output / "samples.js"
        }  # fmt: skip
    # fewer samples, and no photo
    build_sheet(samples, NAMES[:1], output, num_workers=1)
    assert len(list(output.rglob("??/*.webp"))) == 1
    assert len(list((output / "strips").iterdir())) == 1 + len(kept)


def test_a_photo_that_changes_or_comes_later_is_shown(samples: Path, tmp_path: Path) -> None:
    output, photos = tmp_path / "out", tmp_path / "other"
    photos.mkdir()
    build_sheet(samples, NAMES, output, photos=photos, num_workers=1)
    assert all(abs(value - 128) < 4 for value in photo_of(output))
    for color in ((200, 10, 10), (10, 10, 200)):
        (photos / "id_0").mkdir(exist_ok=True)
        Image.new("RGB", (96, 192), color).save(photos / f"{NAMES[0]}.png")
        # older than the strips, as a file that was copied with its time
        os.utime(photos / f"{NAMES[0]}.png", (1000, 1000 + color[0]))
        build_sheet(samples, NAMES, output, photos=photos, num_workers=1)
        assert np.abs(np.subtract(photo_of(output), color)).max() < 40


def test_samples_of_the_same_names_elsewhere(samples: Path, tmp_path: Path) -> None:
    other, output = tmp_path / "other", tmp_path / "out"
    shutil.copytree(samples, other)
    for name in NAMES:
        Image.new("RGB", (96, 192), (10, 200, 10)).save(other / name / "body.png")
    build_sheet(other, NAMES, output, num_workers=1)
    build_sheet(samples, NAMES, output, num_workers=1)
    strip = Image.open(output / listed(output)["samples"][0][1]).convert("RGB")
    assert strip.getpixel((390, 2))[0] > 150


def test_a_record_names_no_photo_elsewhere(samples: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    Image.new("RGB", (96, 192), (200, 10, 10)).save(secret)
    for source in ("../secret.png", str(secret)):
        record = samples / "id_0" / "front" / "sample.json"
        record.write_text(json.dumps({**json.loads(record.read_text()), "source": source}))
        build_sheet(samples, NAMES, tmp_path / "out", photos=tmp_path / "photos", num_workers=1)
        assert all(abs(value - 128) < 4 for value in photo_of(tmp_path / "out"))


def test_large_images_become_small(tmp_path: Path, write_sample: Callable[..., Path]) -> None:
    write_sample(tmp_path / "samples" / "big", 0, (1024, 512))
    build_sheet(tmp_path / "samples", ["big"], tmp_path / "out", num_workers=1)
    ((_, strip),) = listed(tmp_path / "out")["samples"]
    assert Image.open(tmp_path / "out" / strip).size == (4 * HEIGHT // 2 + 3 * 4, HEIGHT)


def test_a_broken_sample_has_a_gray_place(samples: Path, tmp_path: Path) -> None:
    (samples / "id_0" / "front" / "body.png").write_bytes(b"nothing")
    (samples / "id_0" / "front" / "sample.json").write_text("{", encoding="utf-8")
    for target in ("nowhere", "loop"):
        (samples / "id_0" / "front" / "loop").unlink(missing_ok=True)
        (samples / "id_0" / "front" / "loop").symlink_to(target)
        build_sheet(samples, NAMES, tmp_path / target, num_workers=1)
    output = tmp_path / "out"
    build_sheet(samples, NAMES, output, photos=tmp_path / "photos", num_workers=1)
    strip = Image.open(output / listed(output)["samples"][0][1]).convert("RGB")
    assert strip.size == (5 * 96 + 4 * 4, 192)
    for place in (0, 4):
        assert all(abs(value - 128) < 4 for value in strip.getpixel((place * 100 + 48, 96)))


def test_names_that_are_no_utf8(samples: Path, tmp_path: Path) -> None:
    name = "caf\udce9"
    (samples / "id_0" / "front").rename(samples / name)
    build_sheet(samples, [name], tmp_path / "out", num_workers=1)
    assert listed(tmp_path / "out")["samples"][0][0] == name
