"""Archives and lists as sources of prepare: the samples are those of the folder."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skinfw.components.reference import ComponentSpec, use
from skinfw.data.sample_folder import read_record
from skinfw.errors import DataError
from skinfw.preparation import archive as archive_module
from skinfw.preparation.archive import Member, RejectedMember, _member, list_archive
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.prepare import prepare
from skinfw.preparation.report import PrepareReport
from skinfw.preparation.source import UNPACKED_FOLDER, list_photos, photos_below
from skinfw.preparation.survey import survey
from skinfw.preparation.unpack import ZipFiles
from skinfw.system.own_folders import OWN_FOLDERS

PhotoWriter = Callable[..., Path]


def run(
    root: Path, output: Path, pose_encoder: ComponentSpec | None = None, **settings: Any
) -> PrepareReport:
    config = PrepareConfig.model_validate({"num_workers": 1, **settings})
    poses = pose_encoder or use("pose_encoder", "openpose")
    return prepare(root, output, use("segmenter", "deepfashion"), poses, config)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".prepare.lock"
    }


@pytest.fixture
def photos(tmp_path: Path, write_photo: PhotoWriter) -> Path:
    """Three photos, of which one has its pose in a folder as OpenPose's are."""
    root = tmp_path / "photos"
    for index in range(3):
        write_photo(root / "WOMEN" / f"id_{index}" / "01_1_front.png", index)
    poses = root / "openpose" / "WOMEN" / "id_1"
    poses.mkdir(parents=True)
    (root / "WOMEN" / "id_1" / "01_1_front_keypoints.json").rename(poses / "01_1_front_keypoints.json")
    return root


def pack(root: Path, archive: Path) -> Path:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(root.rglob("*")):
                packed.write(path, path.relative_to(root))
    else:
        with tarfile.open(archive, f"w:{archive.suffix[1:].replace('tgz', 'gz').replace('tar', '')}") as tar:
            tar.add(root, ".")
    return archive


@pytest.mark.parametrize(
    ("ending", "num_workers"),
    [
        *[(ending, 1) for ending in (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")],
        *[(ending, 2) for ending in (".zip", ".tar.gz")],
    ],
)
def test_an_archive_gives_the_samples_of_its_folder(
    photos: Path, tmp_path: Path, ending: str, num_workers: int
) -> None:
    run(photos, tmp_path / "expected")
    report = run(pack(photos, tmp_path / f"all{ending}"), tmp_path / "out", num_workers=num_workers)
    assert [row.status for row in report.rows] == ["made"] * 3
    assert tree(tmp_path / "out") == tree(tmp_path / "expected")
    assert not (tmp_path / "out" / UNPACKED_FOLDER).exists()
    again = run(tmp_path / f"all{ending}", tmp_path / "out", num_workers=num_workers)
    assert again.count("kept") == 3


def test_label_maps_are_no_photos_for_any_segmenter(photos: Path, tmp_path: Path) -> None:
    images = {path for path in photos.rglob("*") if path.suffix in {".jpg", ".png"}}
    maps = {path for path in images if path.stem.endswith("_segment")}
    assert maps and maps < images
    assert set(photos_below(photos, lambda _: ())) == images - maps
    packed = list_photos(pack(photos, tmp_path / "photos.zip"), tmp_path / "out", lambda _: ())
    assert {entry.path.name for entry in packed.entries} == {path.name for path in images - maps}
    # nor is one whose photo is missing
    left = sorted(images - maps)
    left.pop(0).unlink()
    assert photos_below(photos, lambda _: ()) == left
    fewer = list_photos(pack(photos, tmp_path / "fewer.zip"), tmp_path / "out", lambda _: ())
    assert [entry.path.name for entry in fewer.entries] == [path.name for path in left]
    orphan = "WOMEN/id_0/01_1_front_segment.png"
    (row,) = [row for row in fewer.others.values() if row.photo == orphan]
    assert row.detail == "named like a label map (*_segment.png) whose photo is missing"
    # in a source without label maps, it may be a photo
    alone = tmp_path / "alone" / "x_segment.png"
    alone.parent.mkdir()
    alone.write_bytes(b"")
    assert photos_below(alone.parent, lambda _: ()) == [alone]


def test_relative_paths(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(photos, tmp_path / "all.zip")
    monkeypatch.chdir(tmp_path)
    folder = run(Path("photos"), Path("zero"))
    assert folder.count("made") == 3 and not folder.others
    one = run(Path("all.zip"), Path("one"))
    two = run(Path("all.zip"), Path("two"), num_workers=2)
    assert one == two and one.count("made") == 3
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


@pytest.mark.parametrize("ending", ["", ".zip", ".tgz"])
def test_label_maps_in_a_folder_beside_the_photos_are_not_photos(
    tmp_path: Path, write_photo: PhotoWriter, ending: str
) -> None:
    root = tmp_path / "all"
    (root / "maps").mkdir(parents=True)
    for index in range(3):
        write_photo(root / "shown" / f"{index}.png", index)
        (root / "shown" / f"{index}_segment.png").rename(root / "maps" / f"{index}.png")
    source = pack(root, tmp_path / f"all{ending}") if ending else root
    reader = use("segmenter", "label_map", labels="deepfashion", folder="../maps")
    poses = use("pose_encoder", "openpose")
    report = prepare(source, tmp_path / "out", reader, poses, PrepareConfig(num_workers=1))
    assert [(row.photo, row.status) for row in report.rows] == [
        (f"shown/{index}.png", "made") for index in range(3)
    ]
    assert not report.others


@pytest.mark.parametrize("ending", ["", ".zip", ".tgz"])
def test_label_maps_with_suffixes_in_the_other_case_are_read(
    photos: Path, tmp_path: Path, ending: str
) -> None:
    for path in sorted(photos.rglob("*_segment.png")):
        path.rename(path.with_suffix(".PNG"))
    source = pack(photos, tmp_path / f"all{ending}") if ending else photos
    assert survey(source, tmp_path / "out").labeled == 3
    report = run(source, tmp_path / "out")
    assert [row.status for row in report.rows] == ["made"] * 3
    assert not report.others


@pytest.mark.parametrize("ending", ["", ".zip", ".tgz"])
def test_photos_that_would_share_a_label_map_are_one_error(
    tmp_path: Path, write_photo: PhotoWriter, ending: str
) -> None:
    root = tmp_path / "all"
    (root / "maps").mkdir(parents=True)
    for index, name in enumerate(("back/1.png", "front/1.png", "front/2.png")):
        write_photo(root / name, index)
        labels = (root / name).with_name(f"{Path(name).stem}_segment.png")
        labels.rename(root / "maps" / Path(name).name)
    source = pack(root, tmp_path / f"all{ending}") if ending else root
    reader = use("segmenter", "label_map", labels="deepfashion", folder="../maps")
    message = r"back/1.png and \S*front/1.png would both get the label map \S*1.png; give each photo its own"
    with pytest.raises(DataError, match=message):
        prepare(source, tmp_path / "out", reader, None, PrepareConfig(num_workers=1))
    assert not list((tmp_path / "out").rglob("body.png"))


def test_of_a_zip_only_what_is_needed_is_unpacked(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 0
    original = ZipFiles.take

    def counting(self: ZipFiles, path: Path) -> None:
        nonlocal most
        original(self, path)
        most = max(most, len(list((tmp_path / "out" / UNPACKED_FOLDER).rglob("01_1_front.png"))))

    monkeypatch.setattr(ZipFiles, "take", counting)
    run(pack(photos, tmp_path / "all.zip"), tmp_path / "out")
    assert most == 1


def test_what_a_killed_run_left_behind_is_not_taken_for_the_archives(photos: Path, tmp_path: Path) -> None:
    stale = tmp_path / "out" / UNPACKED_FOLDER / "WOMEN" / "id_0" / "01_1_front.png"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"old")
    assert run(pack(photos, tmp_path / "all.zip"), tmp_path / "out").count("made") == 3


@pytest.mark.parametrize(
    ("member", "name"),
    [
        ("a/b.jpg", "a/b.jpg"),
        ("./a//b.jpg", "a/b.jpg"),
        ("../b.jpg", None),
        ("a/../../b.jpg", None),
        ("/etc/b.jpg", None),
        ("C:/b.jpg", None),
        ("12:30/b.jpg", "12:30/b.jpg"),
        ("a\\b.jpg", "a/b.jpg"),
        ("..\\b.jpg", None),
        ("C:\\b.jpg", None),
        ("\\\\server\\b.jpg", None),
        ("a\nb.jpg", None),
        (".git/b.jpg", None),
        ("__MACOSX/._b.jpg", None),
        ("x" * 256 + ".jpg", None),
        ("e\u0301.jpg", "\u00e9.jpg"),
        ("..", None),
        (".", None),
        ("/", None),
        ("", None),
    ],
)
def test_names_of_members(member: str, name: str | None) -> None:
    found = _member(member, 1, 0, "")
    assert (found.name if isinstance(found, Member) else None) == name
    assert isinstance(found, RejectedMember) != bool(name)


def hostile_zip(path: Path, photo: bytes) -> None:
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr("../outside.png", photo)
        packed.writestr("/outside.png", photo)
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        packed.writestr(link, "/etc/passwd")


def hostile_tar(path: Path, photo: bytes) -> None:
    with tarfile.open(path, "a") as tar:
        for name in ("../outside.png", "/outside.png"):
            info = tarfile.TarInfo(name)
            info.size = len(photo)
            tar.addfile(info, io.BytesIO(photo))
        for kind, name in ((tarfile.SYMTYPE, "link.png"), (tarfile.LNKTYPE, "hard.png")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
        device = tarfile.TarInfo("device.png")
        device.type = tarfile.FIFOTYPE
        tar.addfile(device)


@pytest.mark.parametrize(("ending", "spoil"), [(".zip", hostile_zip), (".tar", hostile_tar)])
def test_nothing_is_written_outside_nor_links_followed(
    photos: Path, tmp_path: Path, ending: str, spoil: Callable[[Path, bytes], None]
) -> None:
    archive = pack(photos, tmp_path / f"all{ending}")
    spoil(archive, (photos / "WOMEN" / "id_0" / "01_1_front.png").read_bytes())
    report = run(archive, tmp_path / "deep" / "out")
    assert [row.photo for row in report.rows[:3]] == [f"WOMEN/id_{i}/01_1_front.png" for i in range(3)]
    assert {row.photo for row in report.rows[3:]} >= {"../outside.png", "/outside.png", "link.png"}
    assert {row.reason for row in report.rows[3:]} == {"photo cannot be read"}
    assert not list(tmp_path.rglob("outside.png")) and not Path("/outside.png").exists()


@pytest.mark.parametrize("ending", [".zip", ".tar"])
def test_a_huge_member_is_a_row(
    photos: Path, tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    huge = photos / "WOMEN" / "id_2" / "01_1_front.png"
    huge.write_bytes(huge.read_bytes() + bytes(200_000))
    monkeypatch.setattr(archive_module, "MAX_BYTES", 100_000)
    report = run(pack(photos, tmp_path / f"all{ending}"), tmp_path / "out")
    assert [row.reason for row in report.rows] == [None, None, "photo cannot be read"]
    assert "bytes exceed the limit of 100,000" in report.rows[2].detail
    # its label map is not taken for a photo
    assert [row.photo for row in report.others if row.photo.endswith(".png")] == [
        "WOMEN/id_2/01_1_front_segment.png"
    ]


def test_a_damaged_member_of_a_zip_is_a_row(photos: Path, tmp_path: Path) -> None:
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as packed:  # stored, so that its bytes can be found
        for path in sorted(photos.rglob("*.*")):
            packed.write(path, path.relative_to(photos))
    data = archive.read_bytes()
    photo = (photos / "WOMEN" / "id_1" / "01_1_front.png").read_bytes()
    archive.write_bytes(data.replace(photo, photo[:-50] + bytes(50)))
    report = run(archive, tmp_path / "out")
    assert [row.reason for row in report.rows] == [None, "photo cannot be read", None]
    assert "Bad CRC-32" in report.rows[1].detail


def test_an_encrypted_zip_says_what_to_do(photos: Path, tmp_path: Path) -> None:
    archive = pack(photos, tmp_path / "all.zip")
    data = bytearray(archive.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + flags] |= 1
            at = data.find(mark, at + 1)
    archive.write_bytes(data)
    report = run(archive, tmp_path / "out")
    assert "it is encrypted; unpack it yourself" in report.rows[0].detail


def test_a_name_does_not_say_that_a_zip_is_encrypted(tmp_path: Path) -> None:
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("encrypted password.png", b"pixels")
    archive.write_bytes(archive.read_bytes().replace(b"pixels", b"others"))
    (row,) = run(archive, tmp_path / "out").rows
    assert "it is damaged (Bad CRC-32" in row.detail


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a.zip", "it is not a zip file, or an incomplete one"),
        ("a.tar", "it is damaged"),
        ("a.tar.gz", "it is damaged"),
    ],
)
def test_no_archive(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / name).write_bytes(b"no archive at all")
    with pytest.raises(DataError, match=f"{name}: cannot be read: {reason}.*; copy or download it again"):
        run(tmp_path / name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_half_a_tar_is_one_error(photos: Path, tmp_path: Path) -> None:
    archive = pack(photos, tmp_path / "all.tar.gz")
    archive.write_bytes(archive.read_bytes()[:-3000])
    with pytest.raises(DataError, match=r"all\.tar\.gz: cannot be read"):
        run(archive, tmp_path / "out")


def test_an_archive_without_photos(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("readme.txt", "nothing")
    with pytest.raises(DataError, match=r"a\.zip: no photos in it"):
        run(tmp_path / "a.zip", tmp_path / "out")


def test_prepared_samples_in_an_archive_are_no_photos(photos: Path, tmp_path: Path) -> None:
    run(photos, photos / "samples")
    archive = pack(photos, tmp_path / "all.zip")
    assert "samples/WOMEN/id_0/01_1_front/body.png" in list_archive(archive).members
    assert len(run(archive, tmp_path / "out").rows) == 3


@pytest.mark.parametrize("ending", ["", ".zip"])
def test_what_skinfw_wrote_among_the_photos_is_not_read(photos: Path, tmp_path: Path, ending: str) -> None:
    shown = photos / "WOMEN" / "id_0" / "01_1_front.png"
    for kind, files in OWN_FOLDERS.items():
        (photos / kind / "images").mkdir(parents=True)
        for name in files:
            (photos / kind / name).write_text("{}", "utf-8")
        shutil.copy(shown, photos / kind / "images" / "a.png")
    report = run(pack(photos, tmp_path / "all.zip") if ending else photos, tmp_path / "out")
    assert [row.photo for row in report.rows] == [f"WOMEN/id_{index}/01_1_front.png" for index in range(3)]
    assert {(row.photo, row.reason, row.detail) for row in report.others} == {
        (f"{kind}/", "result of skinfw", f"{kind} that skinfw wrote") for kind in OWN_FOLDERS
    }


@pytest.mark.parametrize("kind", OWN_FOLDERS)
def test_a_folder_that_is_asked_for_is_read_whatever_skinfw_wrote_there(photos: Path, kind: str) -> None:
    before = photos_below(photos, lambda _: ())
    for name in OWN_FOLDERS[kind]:
        (photos / name).write_text("{}", "utf-8")
    assert photos_below(photos, lambda _: ()) == before


def test_painted_photos_among_the_photos_are_not_photos(photos: Path, tmp_path: Path) -> None:
    painted = photos / "painted"
    before = photos_below(photos, lambda _: ())
    for path in before:
        (painted / path.relative_to(photos)).parent.mkdir(parents=True)
        shutil.copy(path, painted / path.relative_to(photos))
    assert len(photos_below(photos, lambda _: ())) == 6
    rows = [{"output": path.relative_to(photos).as_posix()} for path in before[:2]]
    (painted / "painted.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    other = painted / before[2].relative_to(photos)
    assert photos_below(photos, lambda _: ()) == sorted([*before, other])
    assert len(photos_below(painted, lambda _: ())) == 3  # there they are what is asked for
    for name in ("all.zip", "all.tgz"):
        listing = list_photos(pack(photos, tmp_path / name), tmp_path / "out", lambda _: ())
        expected = [path.relative_to(photos).as_posix() for path in sorted([*before, other])]
        assert [entry.name for entry in listing.entries] == expected
        left_out = [row.photo for row in listing.others.values() if row.reason == "result of skinfw"]
        assert left_out == [f"painted/{row['output']}" for row in rows]


@pytest.mark.parametrize("ending", ["", ".zip"])
@pytest.mark.parametrize("folder", ["", "openpose/"])
def test_poses_that_openpose_drew_are_not_photos(tmp_path: Path, folder: str, ending: str) -> None:
    root = tmp_path / "photos"
    (root / "openpose").mkdir(parents=True)
    files = ["a.jpg", f"{folder}a_keypoints.json", f"{folder}a_rendered.png"]
    # without keypoints or photo, somebody's own
    files += ["b.jpg", "b_rendered.png", "c_keypoints.json", "c_rendered.png"]
    for name in files:
        (root / name).write_bytes(b"")
    listing = list_photos(
        pack(root, tmp_path / f"a{ending}") if ending else root, tmp_path / "out", lambda _: ()
    )
    names = [entry.name for entry in listing.entries]
    assert names == ["a.jpg", "b.jpg", "b_rendered.png", "c_rendered.png"]
    details = {row.photo: row.detail for row in listing.others.values()}
    assert details[f"{folder}a_rendered.png"] == "the pose of a.jpg, drawn by OpenPose"


def test_a_csv_of_paths(photos: Path, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere" / "01_1_front.png"
    shutil.copytree(photos / "WOMEN" / "id_0", outside.parent)
    listed = photos / "list.csv"
    listed.write_text(
        "photo,view,group\n"
        "WOMEN/id_2/01_1_front.png,,family\n"
        "WOMEN/id_1/01_1_front.png,back,\n"
        f"{outside},,family\n"
        "../elsewhere/missing.png,,\n",
        encoding="utf-8-sig",
    )
    report = run(listed, tmp_path / "out")
    rows = {row.photo: row.reason for row in report.rows}
    absolute = "/".join(outside.parts[1:])
    assert rows == {
        "WOMEN/id_2/01_1_front.png": None,
        "WOMEN/id_1/01_1_front.png": "other view",
        absolute: None,
        "elsewhere/missing.png": "photo cannot be read",
    }
    record = read_record(tmp_path / "out" / "WOMEN" / "id_2" / "01_1_front")
    assert record is not None and record["group"] == "family"
    # another group makes the sample anew, the same one does not
    assert run(listed, tmp_path / "out").count("kept") == 2
    listed.write_text(listed.read_text("utf-8-sig").replace("png,,family", "png,,others", 1))
    assert run(listed, tmp_path / "out").count("made") == 1


@pytest.mark.parametrize("ending", ["", ".zip", ".tgz"])
def test_a_survey_finds_label_maps_and_poses_in_folders_and_archives(
    photos: Path, tmp_path: Path, ending: str
) -> None:
    root = pack(photos, tmp_path / f"all{ending}") if ending else photos
    found = survey(root, tmp_path / "out")
    assert (found.count, found.labeled, found.posed) == (3, 3, 3)
    assert not (tmp_path / "out").exists()
    next(photos.rglob("openpose/**/*.json")).unlink()
    next(photos.rglob("*_segment.png")).unlink()
    root = pack(photos, tmp_path / f"fewer{ending}") if ending else photos
    found = survey(root, tmp_path / "out")
    assert (found.count, found.labeled, found.posed) == (3, 2, 2)


def test_a_survey_of_an_archive_writes_stand_ins_for_poses_alone(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, original = [], Path.touch

    def collecting(path: Path) -> None:
        written.append(path.suffix)
        original(path)

    monkeypatch.setattr(Path, "touch", collecting)
    survey(pack(photos, tmp_path / "all.zip"), tmp_path / "out")
    assert written == [".json"] * 3


def test_a_survey_counts_the_urls_of_a_list(photos: Path, tmp_path: Path) -> None:
    path = tmp_path / "photos.txt"
    local = photos / "WOMEN" / "id_0" / "01_1_front.png"
    path.write_text(f"https://example.com/a.jpg\n{local}\nhttps://example.com/b.jpg\n", encoding="utf-8")
    found = survey(path, tmp_path / "out")
    assert (found.count, found.labeled, found.posed, len(found.sizes)) == (3, 1, 1, 1)


def test_the_sample_of_a_photo_that_is_listed_twice_is_kept(photos: Path, tmp_path: Path) -> None:
    listed = photos / "list.txt"
    listed.write_text("WOMEN/id_2/01_1_front.png\n" * 2)
    for status in ("made", "kept"):
        report = run(listed, tmp_path / "out")
        assert [row.status for row in report.rows] == [status, "rejected"]
    assert (tmp_path / "out" / "WOMEN" / "id_2" / "01_1_front").is_dir()


def test_json_lines_and_plain_text(photos: Path, tmp_path: Path) -> None:
    first, second = "WOMEN/id_0/01_1_front.png", "WOMEN/id_1/01_1_front.png"
    lines = [json.dumps(first), "", json.dumps({"path": second, "view": "front", "note": "mine"})]
    (photos / "list.jsonl").write_text("\n".join(lines))
    (photos / "list.txt").write_text(f"# the good ones\n{first}\n\n  {second}  \n")
    for name in ("list.jsonl", "list.txt"):
        report = run(photos / name, tmp_path / name)
        assert [(row.photo, row.status) for row in report.rows] == [(first, "made"), (second, "made")]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "image\nb.png\n", r"no column is named photo, path or url; .*it has: image"),
        ("a.csv", "", "the first line must name the columns"),
        ("a.csv", "photo,view\nb.png,front\nc.png,above\n", "line 3: unknown view 'above'; use front"),
        ("a.csv", "photo,view\n,front\n", "line 2: has no photo"),
        ("a.jsonl", '"b.png"\n{"path": \n', "line 2: not valid JSON"),
        ("a.jsonl", "3\n", "line 1: neither an object nor a string"),
        ("a.jsonl", '{"path": 3}\n', "line 1: has no photo"),
        ("a.txt", "http://\n", "line 1: 'http://' is not a URL: it has no host"),
        ("a.txt", "http://host:port/a.jpg\n", "is not a URL"),
        ("a.txt", "http://../x\n", "is not a URL"),
        ("a.txt", "http://a..b/x\n", "is not a URL"),
        ("a.csv", "path\nb,c.png\n", "line 2: 2 values, but the header has 1 columns"),
        ("a.csv", "Path, path \nb.png,c.png\n", "line 1: duplicate 'path'"),
        ("a.csv", "path,veiw\nb.png,front\n", "line 1: unknown 'veiw'; rename it to 'view'"),
        ("a.csv", 'path\n"b.png\nc.png\n', "not valid CSV: unexpected end of data"),
        ("a.csv", 'path,"view\nb.png,back\n', "not valid CSV: unexpected end of data"),
        ("a.tsv", "path\tgruop\nb.png\tx\n", "rename it to 'group'"),
        ("a.jsonl", '{"path": "b.png", "Path": "c.png"}\n', "line 1: duplicate 'path'"),
        ("a.jsonl", '{"path": "b.png", "groups": 1}\n', "line 1: unknown 'groups'"),
        ("a.jsonl", '{"path": "b.png", "group": ["x"]}\n', "line 1: group is neither"),
        ("a.jsonl", '{"path": "b.png", "view": true}\n', "line 1: view is neither"),
        ("a.txt", "a.png\n\0\n", "line 2 contains a zero byte"),
        ("a.txt", "a.png\n".encode("utf-16")[:-1], "is not UTF-16-LE"),
        ("a.txt", "..\n", "is not a file"),
        ("a.txt", "# nothing\n", "no photos in it"),
        ("a.txt", b"\xff", "byte 0 is not UTF-8"),
        ("a.docx", "b.png", "neither a folder nor an archive or a list of photos"),
    ],
)
def test_lists_that_cannot_be_used(tmp_path: Path, name: str, text: str | bytes, message: str) -> None:
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=message) as caught:
        run(tmp_path / name, tmp_path / "out")
    assert str(tmp_path / name) in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_duplicates_are_left_out_where_that_is_wanted(
    photos: Path, tmp_path: Path, write_photo: PhotoWriter
) -> None:
    copy = photos / "MEN" / "zed" / "01_1_front.png"
    shutil.copytree(photos / "WOMEN" / "id_2", copy.parent)
    assert run(photos, tmp_path / "out").count("made") == 4
    for _ in range(2):
        report = run(photos, tmp_path / "out", duplicates="drop")
        # the first by name stays
        assert [(row.photo, row.reason) for row in report.rows if row.reason] == [
            ("WOMEN/id_2/01_1_front.png", "duplicate")
        ]
        assert "near-duplicate of MEN/zed/01_1_front.png (0 of 64 bits differ)" in report.rows[-1].detail
        assert not (tmp_path / "out" / "WOMEN" / "id_2").exists() or not list(
            (tmp_path / "out" / "WOMEN" / "id_2").rglob("*.png")
        )
    two = run(photos, tmp_path / "two", duplicates="drop", num_workers=2)
    assert two.count("made") == 3 and tree(tmp_path / "two") == tree(tmp_path / "out")
