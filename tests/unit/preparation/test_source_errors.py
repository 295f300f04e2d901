"""Whatever is in a source is a photo, belongs to one, or is named: nothing is lost, and nothing leads out."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import struct
import tarfile
import tracemalloc
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from drawn_photos import write_drawn_photo

from skinfw.components.reference import use
from skinfw.errors import DataError
from skinfw.preparation import archive as archive_module
from skinfw.preparation import tar_stream
from skinfw.preparation.archive import list_archive
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.listing import Entry
from skinfw.preparation.photo_list import name_of_path, name_of_url, read_photo_list
from skinfw.preparation.prepare import prepare
from skinfw.preparation.report import REJECTED_FILE, PrepareReport
from skinfw.preparation.source import list_photos, photos_below
from skinfw.preparation.task import make_tasks
from skinfw.preparation.unpack import ZipFiles, unpack_tar

NFC, NFD = "\u00e9ve", "e\u0301ve"


def run(root: Path, output: Path, **settings: Any) -> PrepareReport:
    config = PrepareConfig.model_validate({"num_workers": 1, **settings})
    return prepare(root, output, use("segmenter", "deepfashion"), use("pose_encoder", "openpose"), config)


def reasons(report: PrepareReport) -> dict[str, str]:
    return {row.photo: str(row.reason) for row in [*report.rejected(), *report.others]}


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """One photo with its label map and pose."""
    return write_drawn_photo(tmp_path / "photos" / "01_1_front.png", 0)


def no_sources(_: Path) -> tuple[Path, ...]:
    return ()


def test_everything_in_a_folder_is_used_or_named(photo: Path, tmp_path: Path) -> None:
    root = photo.parent
    shutil.copytree(root, tmp_path / "elsewhere")
    for name in ("README.md", "LICENSE", ".DS_Store", ".hidden.jpg", "..png", "...png", "._01_1_front.png",
                 "poses.json", "more.zip", "Thumbs.db", "a.HEIC"):  # fmt: skip
        (root / name).write_bytes(b"x")
    for name in (".thumbnails", "__MACOSX", "empty"):
        (root / name).mkdir()
        (root / name / "b.png").write_bytes(b"x") if name != "empty" else None
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    (root / "loop").symlink_to(root)
    (root / "everything").symlink_to("/")
    (root / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (root / "gone.json").symlink_to("gone.json")
    (root / "zero.png").symlink_to("/dev/zero")
    os.mkfifo(root / "pipe.png")
    os.mkfifo(root / "pipe")
    report = run(root, tmp_path / "out")
    assert [row.photo for row in report.rows if row.status == "made"] == [
        "01_1_front.png",
        "linked/01_1_front.png",
    ]
    assert reasons(report) == {
        **dict.fromkeys(["README.md", "LICENSE", "Thumbs.db", "poses.json", "more.zip"], "not a photo"),
        **dict.fromkeys([".DS_Store", ".hidden.jpg", "..png", "...png", "._01_1_front.png"], "hidden"),
        **dict.fromkeys([".thumbnails/", "__MACOSX/"], "hidden"),
        **dict.fromkeys(["loop", "everything"], "link not followed"),
        **dict.fromkeys(["gone.jpg", "zero.png", "pipe.png", "a.HEIC"], "photo cannot be read"),
        **dict.fromkeys(["gone.json", "pipe"], "cannot be read"),
    }
    with (tmp_path / "out" / REJECTED_FILE).open(newline="") as file:
        assert {row["photo"]: row["reason"] for row in csv.DictReader(file)} == reasons(report)
    assert report.counts() == "2 made, 0 kept, 4 rejected, 16 other files not used"
    assert report.reasons() == Counter(reasons(report).values())
    assert report.summary() == (
        f"{report.counts()} (hidden: 7, not a photo: 5, photo cannot be read: 4, link not followed: 2, "
        "cannot be read: 2)"
    )
    assert not list((tmp_path / "out").glob("*.png"))
    with pytest.raises(DataError, match=r"a FIFO, not a regular file|a broken link"):
        run(root, tmp_path / "strict", on_error="fail")


def test_a_label_map_in_another_format_is_not_a_photo(photo: Path, tmp_path: Path) -> None:
    photo.with_name("01_1_front_segment.png").rename(photo.with_name("01_1_front_segment.jpg"))
    listing = list_photos(photo.parent, tmp_path / "out", use_deepfashion_map)
    assert [entry.name for entry in listing.entries] == ["01_1_front.png"]
    details = {row.photo: row.detail for row in listing.others.values()}
    assert details["01_1_front_segment.jpg"] == (
        "named like the label map of 01_1_front.png, which must be 01_1_front_segment.png"
    )


def use_deepfashion_map(path: Path) -> tuple[Path, ...]:
    return (path.with_name(f"{path.stem}_segment.png"),)


def test_a_source_without_a_photo_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "photos" / ".hidden").mkdir(parents=True)
    (tmp_path / "photos" / "a.psd").write_bytes(b"x")
    with pytest.raises(DataError, match=r"no photos in it .*hidden: \.hidden/; not a photo: a\.psd\)"):
        run(tmp_path / "photos", tmp_path / "out")


def test_a_fifo_is_not_a_source(tmp_path: Path) -> None:
    for name in ("a.zip", "a.tar", "a.csv"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(DataError, match="a FIFO"):
            run(tmp_path / name, tmp_path / "out")


def test_photos_below_a_folder_warn_of_what_they_leave_out(
    photo: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.mkfifo(photo.with_name("pipe.png"))
    assert photos_below(photo.parent, no_sources) == [photo]
    assert "1 files or folders cannot be read; the first: pipe.png" in caplog.text


# names


def tasks(*names: str) -> dict[str, str]:
    """Return the sample of each photo, or why there is none."""
    entries = [Entry(name, Path(name)) for name in sorted(names)]
    return {
        task.entry.name: task.sample if task.rejected is None else str(task.rejected.reason)
        for task in make_tasks(entries)
    }


@pytest.mark.parametrize(
    "name",
    ["..png", "...png", ".png", "....png", "a/..png", "a/...png", "../a.png", "a/../../b.png", "/a.png",
     "a//b.png",
     ".a.png", ".a/b.png", "a\0b.png", "rejected.csv.png", "excluded.jsonl.jpg",
     "doctor.html.png", "", "."],
)  # fmt: skip
def test_names_that_no_sample_can_have(name: str) -> None:
    assert tasks(name) == {name: "name cannot be used"}


@pytest.mark.parametrize(
    ("name", "sample"),
    [
        (" a .png", " a "),
        ("a\nb.JPG", "a\nb"),
        ("100%.jpeg", "100%"),
        ("a.b.png", "a.b"),
        ("v1.2", "v1.2"),
        ("caf\udce9.png", "caf\udce9"),
        (f"{NFD}.png", NFC),
        ("CON.png", "CON"),
        ("a/b.tiff", "a/b"),
        ("a.heic", "a"),
    ],
)
def test_names_of_samples(name: str, sample: str) -> None:
    assert tasks(name) == {name: sample}


def test_a_photo_in_a_readable_format_keeps_its_name_beside_one_that_is_not() -> None:
    names = ["DSC_1.JPG", "DSC_1.NEF", "DSC_2.ARW", "DSC_2.JPG", "IMG_1.HEIC", "IMG_1.JPG", "IMG_2.HEIC"]
    tasks = make_tasks([Entry(name, Path(name)) for name in names])
    assert [task.entry.name for task in tasks] == names
    taken = {task.entry.name: task.rejected.detail for task in tasks if task.rejected is not None}
    assert taken == {
        "DSC_1.NEF": "the sample of DSC_1.JPG is in the way",
        "DSC_2.ARW": "the sample of DSC_2.JPG is in the way",
        "IMG_1.HEIC": "the sample of IMG_1.JPG is in the way",
    }


def test_a_photo_that_is_listed_twice_is_not_in_its_own_way() -> None:
    first, second = make_tasks([Entry("a.jpg", Path("a.jpg"))] * 2)
    assert first.rejected is None
    assert second.rejected is not None and second.rejected.detail == "it is already in the list"


def test_one_photo_never_costs_a_folder() -> None:
    assert tasks("tops.jpg", "tops/a.jpg", "tops/b.jpg", "tops/b/c.png", "x.jpg", "x.png") == {
        "tops.jpg": "name already taken",
        "tops/a.jpg": "tops/a",
        "tops/b.jpg": "name already taken",
        "tops/b/c.png": "tops/b/c",
        "x.jpg": "x",
        "x.png": "name already taken",
    }


def test_names_that_a_disk_does_not_distinguish(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tasks("A.jpg", "a.jpg") == {"A.jpg": "A", "a.jpg": "a"}
    assert list(tasks(f"{NFC}.jpg", f"{NFD}.jpg").values()) == [NFC, "name already taken"]
    monkeypatch.setattr("sys.platform", "darwin")
    assert tasks("A.jpg", "a.jpg") == {"A.jpg": "A", "a.jpg": "name already taken"}


def test_a_sample_in_the_way_of_a_new_folder_goes(photo: Path, tmp_path: Path) -> None:
    photo.rename(photo.with_name("tops.png"))
    for suffix in ("_segment.png", "_keypoints.json"):
        photo.with_name(f"01_1_front{suffix}").rename(photo.with_name(f"tops{suffix}"))
    assert run(photo.parent, tmp_path / "out").count("made") == 1
    write_drawn_photo(photo.parent / "tops" / "01_1_front.png", 1)
    report = run(photo.parent, tmp_path / "out")
    assert {row.photo: row.status for row in report.rows} == {
        "tops.png": "rejected",
        "tops/01_1_front.png": "made",
    }
    assert sorted(path.name for path in (tmp_path / "out" / "tops").iterdir()) == ["01_1_front"]


@pytest.mark.parametrize("link", ["out/id_1", "out/id_1/01_1_front"])
def test_a_link_in_the_output_leads_nothing_out(tmp_path: Path, link: str) -> None:
    write_drawn_photo(tmp_path / "photos" / "id_1" / "01_1_front.png", 0)
    (tmp_path / "precious").mkdir()
    (tmp_path / link).parent.mkdir(parents=True)
    (tmp_path / link).symlink_to(tmp_path / "precious")
    with pytest.raises(DataError, match="a link leads out of"):
        run(tmp_path / "photos", tmp_path / "out")
    assert not list((tmp_path / "precious").iterdir())


def test_names_of_letters_composed_differently(tmp_path: Path) -> None:
    for index, (name, form) in enumerate([(NFC, "NFD"), (NFD, "NFC")]):
        path = write_drawn_photo(tmp_path / "photos" / str(index) / f"{name}.png", index)
        for suffix in ("_segment.png", "_keypoints.json"):
            beside = path.with_name(f"{name}{suffix}")
            beside.rename(path.with_name(unicodedata.normalize(form, beside.name)))  # type: ignore[arg-type]
    (tmp_path / "list.txt").write_text(f"photos/0/{NFD}.png\nphotos/1/{NFC}.png\n", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        for path in (tmp_path / "photos").rglob("*.*"):
            packed.write(path, path.relative_to(tmp_path))
    for source, prefix in (("photos", ""), ("list.txt", "photos/"), ("all.zip", "photos/")):
        report = run(tmp_path / source, tmp_path / f"out of {source}")
        found = [(row.sample, row.status) for row in report.rows]
        assert found == [(f"{prefix}0/{NFC}", "made"), (f"{prefix}1/{NFC}", "made")], report.summary()
        assert not report.others


# archives


def zip_of(path: Path, members: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", packing) as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    return path


def rejected(archive: Path) -> dict[str, str]:
    return {each.name: each.detail for each in list_archive(archive).rejected}


def test_backslashes_are_separators(photo: Path, tmp_path: Path) -> None:
    members = {f"data\\WOMEN\\{path.name}": path.read_bytes() for path in photo.parent.iterdir()}
    # Python itself writes slashes
    archive = zip_of(tmp_path / "all.zip", {name.replace("\\", "|"): data for name, data in members.items()})
    archive.write_bytes(archive.read_bytes().replace(b"data|WOMEN|", b"data\\WOMEN\\"))
    report = run(archive, tmp_path / "out")
    assert [(row.photo, row.status) for row in report.rows] == [("data/WOMEN/01_1_front.png", "made")]
    assert not report.others


def test_members_in_each_others_way(photo: Path, tmp_path: Path) -> None:
    members = {path.name: path.read_bytes() for path in photo.parent.iterdir()}
    archive = zip_of(tmp_path / "all.zip", {"c": b"x", "c/d.png": b"x", "c/d.png/e.txt": b"x", **members})
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(archive, "a") as packed:
        packed.writestr("note.txt", b"old")
        packed.writestr("note.txt", b"new")
    found = rejected(archive)
    assert "there is also a folder with this name" in found["c"] and "c/d.png" in found
    assert "follows in the archive" in found["note.txt"]
    report = run(archive, tmp_path / "out")
    assert report.count("made") == 1
    assert reasons(report) == {
        "c": "cannot be read",
        "c/d.png": "photo cannot be read",
        "c/d.png/e.txt": "not a photo",
        "note.txt": "cannot be read",
    }
    files = ZipFiles(archive, tmp_path / "taken")
    files.take_notes()
    assert (tmp_path / "taken" / "note.txt").read_bytes() == b"new"


def test_an_empty_name(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", {"qq": b"x", "a.png": b"x"})
    data = archive.read_bytes()
    # both headers lose their two letters
    data = data.replace(struct.pack("<HH", 2, 0) + b"qq", struct.pack("<HH", 0, 2) + b"\0\0")
    place = data.index(b"qq")
    data = (
        data[: place - 18] + struct.pack("<HH", 0, 2) + data[place - 14 : place] + b"\0\0" + data[place + 2 :]
    )
    archive.write_bytes(data)
    assert rejected(archive) == {"": "the name is empty"}
    assert list(list_archive(archive).members) == ["a.png"]


def lying_zip(path: Path, size: int, declared: int) -> Path:
    """A member that unpacks to more than its headers say."""
    zip_of(path, {"bomb.json": bytes(size), "a.png": b"x"})
    data = path.read_bytes().replace(struct.pack("<I", size), struct.pack("<I", declared))
    path.write_bytes(data)
    return path


def test_a_member_larger_than_it_says_costs_no_memory(tmp_path: Path) -> None:
    archive = lying_zip(tmp_path / "a.zip", 123_456_789, 1000)
    files = ZipFiles(archive, tmp_path / "out")
    tracemalloc.start()
    errors = files.take_notes()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "Bad CRC-32" in errors["bomb.json"]
    assert not list((tmp_path / "out").iterdir())
    assert peak < 2**22


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_python_unpacks_at_once_are_refused(tmp_path: Path, packing: int) -> None:
    archive = zip_of(tmp_path / "a.zip", {"a.png": bytes(100)}, packing)
    assert "compressed with an unsupported method" in rejected(archive)["a.png"]


def test_all_members_together_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_stream, "MIN_TOTAL", 10_000)
    monkeypatch.setattr(tar_stream, "MAX_RATIO", 1)
    sizes = {"a.png": 4000, "b.png": 5000, "c.png": 2000, "d.png": 900}
    archive = zip_of(tmp_path / "a.zip", {name: bytes(size) for name, size in sizes.items()})
    assert list(list_archive(archive).members) == ["a.png", "b.png", "d.png"]
    assert "exceed 10,000 bytes in total" in rejected(archive)["c.png"]


@pytest.mark.parametrize("ending", [".zip", ".tar"])
def test_members_are_bounded(tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MAX_MEMBERS", 3)
    for number in range(5):
        (tmp_path / "files" / f"{number}.png").parent.mkdir(exist_ok=True)
        (tmp_path / "files" / f"{number}.png").write_bytes(b"x")
    archive = tmp_path / f"a{ending}"
    if ending == ".zip":
        zip_of(archive, {f"{number}.png": b"x" for number in range(5)})
    else:
        with tarfile.open(archive, "w") as tar:
            for number in range(5):
                tar.add(tmp_path / "files" / f"{number}.png", f"{number}.png")
    assert list(list_archive(archive).members) == ["0.png", "1.png", "2.png"]
    assert rejected(archive) == {archive.name: "more than 3 members; the others are not read"}
    listing = list_photos(archive, tmp_path / "out", no_sources)
    assert [row.photo for row in listing.rejected] == [archive.name]


def test_a_tar_that_unpacks_without_end_is_read_up_to_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tar_stream, "MIN_TOTAL", 2**20)
    monkeypatch.setattr(tar_stream, "MAX_RATIO", 1)
    archive = tmp_path / "a.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, size in (("a.png", 10), ("bomb.bin", 2**24), ("b.png", 10)):
            info = tarfile.TarInfo(name)
            info.size = size
            tar.addfile(info, io.BytesIO(bytes(size)))
    found = rejected(archive)
    assert "unpacks to more than 1,048,576 bytes" in found["a.tar.gz"] and "in total" in found["bomb.bin"]
    unpack_tar(archive, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png"]


def test_sparse_members_count_with_their_holes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = tarfile.TarInfo("a.png")
    header.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(header.tobuf(tarfile.GNU_FORMAT))
    block[386:398], block[398:410] = b"00000000000\0", b"00000000000\0"
    block[482:483], block[483:495] = b"\0", b"%011o\0" % 2**34
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    (tmp_path / "a.tar").write_bytes(bytes(block) + bytes(1024))
    assert "exceed the limit of" in rejected(tmp_path / "a.tar")["a.png"]


def test_a_tar_says_what_is_not_a_file(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    kinds = {
        "link.png": tarfile.SYMTYPE,
        "hard.png": tarfile.LNKTYPE,
        "fifo": tarfile.FIFOTYPE,
        "dev": tarfile.CHRTYPE,
    }
    with tarfile.open(archive, "w") as tar:
        for name, kind in kinds.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
    assert rejected(archive) == {
        **dict.fromkeys(["link.png", "hard.png"], "a link, not a file"),
        **dict.fromkeys(["fifo", "dev"], "a device or FIFO, not a file"),
    }


def test_a_note_that_cannot_be_taken_out_is_named(photo: Path, tmp_path: Path) -> None:
    members = {path.name: path.read_bytes() for path in photo.parent.iterdir()}
    archive = zip_of(tmp_path / "all.zip", {**members, "note.txt": b"some words"}, zipfile.ZIP_STORED)
    archive.write_bytes(archive.read_bytes().replace(b"some words", b"SOME WORDS"))
    assert reasons(run(archive, tmp_path / "out")) == {"note.txt": "cannot be read"}


# lists


@pytest.fixture
def listed(photo: Path) -> Iterator[Callable[[str, bytes], Any]]:
    def write(name: str, data: bytes) -> Any:
        path = photo.with_name(name)
        path.write_bytes(data)
        return read_photo_list(path)

    yield write


ROW = ("01_1_front.png", "back", "7")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "photo,view,group\n01_1_front.png,back,7\n"),
        ("a.csv", " Path , VIEW,Group \n 01_1_front.png , Back , 7 \n"),
        ("a.csv", "path;view;group\r\n01_1_front.png;back;7\r\n"),
        ("a.csv", "sep=;\r\npath;view;group\r\n01_1_front.png;back;7\r\n"),
        ("a.csv", "sep=\t\npath\tview\tgroup\n01_1_front.png\tback\t7\n"),
        ("a.csv", '"SEP=|" \npath|view|group\n01_1_front.png|back|7\n'),
        ("a.csv", 'path,"of\nwhom",view,group\n01_1_front.png,me,back,7\n'),
        ("a.csv", "path\tview\tgroup\n01_1_front.png\tback\t7"),
        ("a.tsv", "path\tview\tgroup\r01_1_front.png\tback\t7\r"),
        ("a.csv", '"view", "group","path"\n"back","7", "01_1_front.png"\n\n , , \n'),
        ("a.csv", "# of 2024\n\nurl,path,view,group,\n,01_1_front.png,back,7,\n"),
        ("a.jsonl", '{" Path": " 01_1_front.png ", "VIEW": "BACK", "group": 7}\r\n\r\n'),
        ("a.JSONL", '{"url": null, "path": "01_1_front.png", "view": "back", "group": "7 "}'),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_lists_as_programs_write_them(listed: Any, name: str, text: str, encoding: str) -> None:
    (row,) = listed(name, text.encode(encoding)).photos
    assert (row.name, row.view, row.group) == ROW and row.path.is_file()


def test_columns_that_mean_nothing_are_named(photo: Path, tmp_path: Path) -> None:
    text = "path,notes,price,,\n01_1_front.png,mine,,7,\nmissing.png,his,3,, \n"
    (photo.parent / "list.csv").write_text(text)
    report = run(photo.parent / "list.csv", tmp_path / "out")
    assert reasons(report) == {
        "missing.png": "photo cannot be read",
        "list.csv: notes": "column not used",
        "list.csv: price": "column not used",
        "list.csv: column 4 (no name)": "column not used",
    }
    assert "with a value in 2 rows" in {row.photo: row.detail for row in report.others}["list.csv: notes"]


def test_lines_of_text(listed: Any, photo: Path) -> None:
    photo.with_name("#1.png").write_bytes(b"x")
    photo.with_name("a\u2028b.png").write_bytes(b"x")
    found = listed("a.txt", "\ufeff# a comment\n#1.png\r\n a\u2028b.png\n#2.png\n".encode())
    assert [row.name for row in found.photos] == ["#1.png", "a\u2028b.png"]
    assert found.not_used == {"#": 2}


def test_paths_as_windows_writes_them(listed: Any, photo: Path) -> None:
    (photo.parent / "sub").mkdir()
    for name in ("sub/a.png", "b\\c.png", " d.png"):
        (photo.parent / name).write_bytes(b"x")
    found = listed("a.csv", b'path\nsub\\a.png\nb\\c.png\n" d.png"\nC:\\e.png\n').photos
    assert [row.name for row in found] == ["sub/a.png", "b\\c.png", " d.png", "C:\\e.png"]
    assert [row.path.is_file() for row in found] == [True, True, True, False]


def test_rows_that_are_no_regular_file(photo: Path, tmp_path: Path) -> None:
    os.mkfifo(photo.with_name("pipe.png"))
    places = ["pipe.png", "/dev/zero", "/usr", "x" * 300, "y/" * 3000 + "z.png"]
    (photo.parent / "a.txt").write_text("\n".join(places))
    report = run(photo.parent / "a.txt", tmp_path / "out")
    assert {row.reason for row in report.rows} <= {"photo cannot be read", "name too long"}
    assert len(report.rows) == len(places)


def test_group_zero_is_a_group(listed: Any) -> None:
    assert [row.group for row in listed("a.jsonl", b'{"path": "a", "group": 0}\n{"path": "b"}').photos] == [
        "0",
        "",
    ]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/home/u/.data/a.png", "home/u/data/a.png"),
        ("../../a.png", "a.png"),
        ("./..png", "png"),
        ("~/a.png", "~/a.png"),
        ("...", ""),
    ],
)
def test_names_of_paths(path: str, name: str) -> None:
    assert name_of_path(path) == name


@pytest.mark.parametrize(
    "url", ["http://../x", "http://./x", "http:///x", "http://.a/x", "http://a..b/x", "http://:80/x"]
)
def test_urls_without_a_host(url: str) -> None:
    with pytest.raises(ValueError, match=r"host|label|port"):
        name_of_url(url)


@pytest.mark.parametrize(
    "url",
    ["http://a/%2e%2e/%2e%2e/x", "http://a/..%2f..%2fx", "http://a/../x", "http://a/%00/x", "http://a/\\..\\x",
     "http://a./x", "http://[::1]/x", "http://a/%0a", "http://a/", "http://a/...", "http://a?x=/../../b", "http://a/.x"],
)  # fmt: skip
def test_names_of_urls_stay_below_the_output(url: str) -> None:
    (sample,) = tasks(name_of_url(url)).values()
    assert sample != "name cannot be used" and ".." not in sample.split("/")


def test_lists_of_json_strings(listed: Any) -> None:
    names = ["a\u2028b.png", "100%.png", "\u00e9.png"]
    found = listed("a.jsonl", "\n".join(json.dumps(name, ensure_ascii=False) for name in names).encode())
    assert [row.name for row in found.photos] == names
