from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_photos import write_drawn_photo
from PIL import Image

from skinfw.errors import DataError, NotFiniteError, RunError, UserError
from skinfw.inference.image_table import ImageRow, check_rows, write_table
from skinfw.inference.inpainter import Inpainter
from skinfw.inference.paint_photos import paint_photos
from skinfw.inference.photo_task import TABLE, PaintWork
from skinfw.system.own_folders import listed_images

NAMES = ("anna", "below/ben")


@pytest.fixture
def folders(tmp_path: Path, inpainter: Inpainter) -> Path:
    """Photos of two people with label maps and poses, and their masks in a folder beside them."""
    from skinfw.data.photo import Photo

    for number, name in enumerate(NAMES):
        path = write_drawn_photo(tmp_path / "photos" / f"{name}.png", number)
        mask = inpainter.segmenter.segment(Photo.read(path)).region("skin")
        target = tmp_path / "masks" / f"{name}{'_mask' * number}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(target)
    return tmp_path


def work(folder: Path, run: Path, **options: Any) -> PaintWork:
    return PaintWork(folder=Path.cwd(), output=folder / "out", model=run, device="cpu", **options)


def paint(folder: Path, run: Path, photos: str = "photos", **options: Any) -> list[ImageRow]:
    settings = {name: options.pop(name) for name in ("show_masks", "on_error") if name in options}
    options = {"masks": folder / "masks", "num_workers": 1, **options}
    return paint_photos(work(folder, run, **settings), folder / photos, **options)


def table(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "out" / TABLE).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_a_folder_is_painted_under_the_same_names_with_a_row_for_each(folders: Path, photo_run: Path) -> None:
    told: list[tuple[int, int]] = []
    rows = paint(folders, photo_run, show_masks=folders / "shown", progress=lambda *at: told.append(at))
    assert [(row.image, row.output, row.status) for row in rows] == [
        (f"{name}.png", f"{name}.png", "painted") for name in NAMES
    ]
    assert told == [(1, 2), (2, 2)]
    for name, row, mask in zip(NAMES, table(folders), ("anna.png", "below/ben_mask.png"), strict=True):
        image, photo = (np.asarray(Image.open(folders / each / f"{name}.png")) for each in ("out", "photos"))
        painted = np.asarray(Image.open(folders / "masks" / mask)) > 0
        assert np.array_equal(image[~painted], photo[~painted])
        assert np.array_equal(np.asarray(Image.open(folders / "shown" / f"{name}.png")) > 0, painted)
        assert row["report"]["painted"] == painted.sum()
    left = {path.name for path in (folders / "out").rglob("*") if path.is_file()}
    assert left == {"anna.png", "ben.png", TABLE}
    images = {folders / "out" / f"{name}.png" for name in NAMES}
    assert listed_images(folders / "out", left) == images  # which are not read as photos later


def test_what_is_there_is_not_overwritten_unasked(folders: Path, photo_run: Path) -> None:
    (folders / "out").mkdir()
    (folders / "out" / "anna.png").write_bytes(b"mine")
    with pytest.raises(RunError, match=r"anna\.png: already exists; continue with --resume"):
        paint(folders, photo_run)
    with pytest.raises(RunError, match=r"anna\.png was edited, or not made by this command"):
        paint(folders, photo_run, resume=True)
    assert (folders / "out" / "anna.png").read_bytes() == b"mine"
    paint(folders, photo_run, overwrite=True)
    assert Image.open(folders / "out" / "anna.png").format == "PNG"


def test_resuming_paints_what_is_missing_or_changed(folders: Path, photo_run: Path) -> None:
    paint(folders, photo_run)
    before = {path: path.read_bytes() for path in (folders / "out").rglob("*.png")}

    def again() -> list[str]:
        return [row.status for row in paint(folders, photo_run, resume=True)]

    assert again() == ["kept", "kept"]
    (folders / "out" / "anna.png").unlink()
    assert again() == ["painted", "kept"]
    assert {path: path.read_bytes() for path in before} == before
    shutil.copy(folders / "photos" / "anna.png", folders / "photos" / "below" / "ben.png")
    assert again() == ["kept", "painted"]
    mask = np.asarray(Image.open(folders / "masks" / "anna.png")).copy()
    mask[: len(mask) // 2] = False
    Image.fromarray(mask).save(folders / "masks" / "anna.png")
    assert again() == ["painted", "kept"]
    with (folders / "out" / TABLE).open("a", encoding="utf-8") as file:
        file.write('{"image": "half a li')
    assert again() == ["kept", "kept"]
    assert len(table(folders)) == 2


def test_unusable_photos_are_rows_and_the_others_are_painted(folders: Path, photo_run: Path) -> None:
    (folders / "photos" / "broken.png").write_bytes(b"no image")
    Image.fromarray(np.zeros((96, 64), np.uint8)).save(folders / "masks" / "broken.png")
    (folders / "masks" / "below" / "ben_mask.png").unlink()
    rows = paint(folders, photo_run)
    assert [row.status for row in rows] == ["painted", "failed", "failed"]
    assert "no mask of that name" in rows[1].reason
    assert "broken.png" in rows[2].reason
    with pytest.raises(DataError, match=r"(?s)2 of 3 photos not painted; .*painted\.jsonl says why"):
        check_rows(rows, folders / "out" / TABLE, "photo", "painted")
    check_rows(rows[:1], folders / "out" / TABLE, "photo", "painted")
    with pytest.raises(DataError, match=r"no mask of that name|broken\.png"):
        paint(folders, photo_run, on_error="fail", overwrite=True)


def test_archives_and_lists_are_painted_too(folders: Path, photo_run: Path) -> None:
    shutil.make_archive(str(folders / "packed"), "zip", folders / "photos")
    rows = paint(folders, photo_run, "packed.zip")
    assert [row.status for row in rows] == ["painted", "painted"]
    packed = (folders / "out" / "anna.png").read_bytes()
    (folders / "list.csv").write_text("path\nphotos/anna.png\n", encoding="utf-8")
    shutil.copytree(folders / "masks", folders / "masks" / "photos")
    shutil.rmtree(folders / "out")
    assert [row.status for row in paint(folders, photo_run, "list.csv")] == ["painted"]
    (written,) = (folders / "out").rglob("*.png")
    assert written.read_bytes() == packed


def test_processes_give_the_same_files(folders: Path, photo_run: Path) -> None:
    paint(folders, photo_run, ending="webp")
    before = {path: path.read_bytes() for path in (folders / "out").rglob("*.webp")}
    assert len(before) == 2
    paint(folders, photo_run, ending="webp", num_workers=2, overwrite=True)
    assert {path: path.read_bytes() for path in before} == before


def test_a_process_that_ends_is_the_photos_fault(tmp_path: Path) -> None:
    task = type("Task", (), {"image": "a.png"})
    row = work(tmp_path, tmp_path).lost(task)
    assert row.status == "failed"
    assert "ended unexpectedly" in row.reason
    with pytest.raises(DataError, match=r"a\.png: the process that painted it ended"):
        work(tmp_path, tmp_path, on_error="fail").lost(task)


def test_two_photos_of_one_name_and_folders_in_the_way(folders: Path, photo_run: Path) -> None:
    shutil.copy(folders / "photos" / "anna.png", folders / "photos" / "anna.webp")
    rows = paint(folders, photo_run)
    assert [row.status for row in rows] == ["painted", "failed", "painted"]
    assert "anna.webp: another photo or a folder of photos has its name" in rows[1].reason
    with pytest.raises(UserError, match="give a folder with one mask per photo"):
        paint(folders, photo_run, masks=folders / "masks" / "anna.png")


def test_masks_that_are_shown_replace_nothing(folders: Path, photo_run: Path) -> None:
    masks = {path: path.read_bytes() for path in (folders / "masks").rglob("*.png")}
    for name in ("out", "masks", "photos", "below/../masks"):
        (folders / "below").mkdir(exist_ok=True)
        with pytest.raises(UserError, match="the masks that are used would replace"):
            paint(folders, photo_run, show_masks=folders / name, overwrite=True)
    shutil.copy(folders / "photos" / "anna.png", folders / "anna.png")
    (folders / "list.csv").write_text("path\nanna.png\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"anna\.png: a mask that is used would replace a painting"):
        paint(folders, photo_run, "list.csv", show_masks=folders)
    (folders / "shown").mkdir()
    (folders / "shown" / "anna.png").write_bytes(b"mine")
    with pytest.raises(RunError, match=r"shown/anna\.png: already exists"):
        paint(folders, photo_run, show_masks=folders / "shown")
    with pytest.raises(RunError, match=r"shown/anna\.png was edited"):
        paint(folders, photo_run, show_masks=folders / "shown", resume=True)
    assert (folders / "shown" / "anna.png").read_bytes() == b"mine"
    paint(folders, photo_run, show_masks=folders / "shown", overwrite=True)
    (folders / "out" / "anna.png").unlink()
    rows = paint(folders, photo_run, show_masks=folders / "shown", resume=True)
    assert [row.status for row in rows] == ["painted", "kept"]
    assert {path: path.read_bytes() for path in masks} == masks


def test_masks_may_be_beside_the_photos(folders: Path, photo_run: Path) -> None:
    photos = folders / "photos"
    shutil.copy(folders / "masks" / "anna.png", photos / "anna_mask.png")
    shutil.copy(folders / "masks" / "below" / "ben_mask.png", photos / "below" / "ben_mask.png")
    rows = paint(folders, photo_run, masks=photos / "below" / "..")
    assert [(row.image, row.status) for row in rows] == [(f"{name}.png", "painted") for name in NAMES]
    rows = paint(folders, photo_run, masks=folders, overwrite=True)
    assert [row.status for row in rows] == ["failed"] * 4  # nothing is dropped
    assert "no mask of that name" in rows[0].reason


def test_masks_of_no_photo_have_rows(folders: Path, photo_run: Path) -> None:
    shutil.copy(folders / "masks" / "anna.png", folders / "masks" / "ana.png")
    rows = paint(folders, photo_run)
    assert [(row.image, row.reason) for row in rows if row.status == "not used"] == [
        ("masks/ana.png", "mask: of no photo")
    ]
    assert sum(row.status == "painted" for row in rows) == 2


def test_masks_may_be_links(folders: Path, photo_run: Path) -> None:
    (folders / "masks" / "anna.png").rename(folders / "mask.png")
    (folders / "masks" / "anna.png").symlink_to(folders / "mask.png")
    assert [row.status for row in paint(folders, photo_run)] == ["painted", "painted"]


def test_a_source_of_masks_only_is_an_error(folders: Path, photo_run: Path) -> None:
    other = folders / "other"
    for name, to in (("a", "b"), ("b", "a")):
        write_drawn_photo(other / f"{name}.png")
        (folders / f"{to}.png").symlink_to(other / f"{name}.png")
    with pytest.raises(DataError, match="every photo in it is the mask of another"):
        paint(folders, photo_run, "other", masks=folders)


def test_other_files_of_the_source_have_rows(folders: Path, photo_run: Path) -> None:
    shutil.copy(folders / "photos" / "anna.png", folders / "photos" / ".hidden.png")
    (folders / "photos" / "notes.txt").write_text("none", encoding="utf-8")
    rows = paint(folders, photo_run)
    others = {row.image: row.reason for row in rows if row.status == "not used"}
    assert set(others) == {".hidden.png", "notes.txt"}
    assert "begins with a dot" in others[".hidden.png"]
    assert {row["image"] for row in table(folders) if row["status"] == "not used"} == set(others)
    check_rows(rows, folders / "out" / TABLE, "photo", "painted")


@pytest.mark.parametrize("option", ["resume", "overwrite"])
def test_a_photo_that_fails_later_keeps_its_painting(folders: Path, photo_run: Path, option: str) -> None:
    paint(folders, photo_run)
    photo, painting = folders / "photos" / "anna.png", folders / "out" / "anna.png"
    photo_bytes, before = photo.read_bytes(), painting.read_bytes()
    photo.write_bytes(b"no image")
    options: dict[str, Any] = {option: True}
    failed, _ = paint(folders, photo_run, **options)
    assert (failed.status, failed.output) == ("failed", "anna.png")
    assert painting.read_bytes() == before
    assert [row.status for row in paint(folders, photo_run, resume=True)] == ["failed", "kept"]
    photo.write_bytes(photo_bytes)
    assert [row.status for row in paint(folders, photo_run, resume=True)] == ["kept", "kept"]


def test_a_photo_with_another_ending_takes_over_the_painting(folders: Path, photo_run: Path) -> None:
    paint(folders, photo_run)
    Image.open(folders / "photos" / "anna.png").save(folders / "photos" / "anna.webp", lossless=True)
    (folders / "photos" / "anna.png").unlink()
    for status in ("painted", "kept"):
        rows = paint(folders, photo_run, resume=True)
        assert [(row.image, row.status) for row in rows] == [("anna.webp", status), ("below/ben.png", "kept")]
    assert [row["image"] for row in table(folders)] == ["anna.webp", "below/ben.png"]


@pytest.mark.parametrize("raised", [NotFiniteError("is not finite"), ValueError("is not finite")])
def test_errors_of_networks_and_components_name_the_photo(
    folders: Path, photo_run: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    original = Inpainter.paint

    def fail(self: Inpainter, image: Any, *rest: Any, **options: Any) -> Any:
        if Path(image).stem == "anna":
            raise raised
        return original(self, image, *rest, **options)

    monkeypatch.setattr(Inpainter, "paint", fail)
    rows = paint(folders, photo_run)
    assert [row.status for row in rows] == ["failed", "painted"]
    assert "anna.png: " in rows[0].reason
    assert "is not finite" in rows[0].reason
    with pytest.raises(DataError, match=r"anna\.png: .*is not finite"):
        paint(folders, photo_run, on_error="fail", overwrite=True)


def test_the_photos_own_folder_is_no_output(folders: Path, photo_run: Path) -> None:
    (folders / "out").mkdir()
    with pytest.raises(UserError, match="the painting or paintings would replace the photo or photos"):
        paint(folders, photo_run, "out")


def test_paintings_replace_no_mask_and_no_photo(folders: Path, photo_run: Path) -> None:
    (folders / "out" / "below").mkdir(parents=True)
    mask, photo = folders / "out" / "below" / "ben.png", folders / "out" / "anna.png"
    shutil.copy(folders / "masks" / "below" / "ben_mask.png", mask)
    shutil.copy(folders / "photos" / "anna.png", photo)
    before = mask.read_bytes(), photo.read_bytes()
    with pytest.raises(UserError, match="paintings would replace the given mask or masks"):
        paint(folders, photo_run, masks=folders / "out", overwrite=True)
    (folders / "masks" / "below" / "ben_mask.png").unlink()
    (folders / "masks" / "below" / "ben.png").symlink_to(mask)
    with pytest.raises(UserError, match=r"ben\.png: a painting would replace a given mask or a photo"):
        paint(folders, photo_run, overwrite=True)
    (folders / "out" / "list.csv").write_text("path\nanna.png\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"anna\.png: a painting would replace a given mask or a photo"):
        paint(folders, photo_run, "out/list.csv", overwrite=True)
    assert (mask.read_bytes(), photo.read_bytes()) == before


def test_each_format_keeps_its_row(folders: Path, photo_run: Path) -> None:
    paint(folders, photo_run)
    paint(folders, photo_run, ending="webp")
    outputs = [f"{name}.{ending}" for name in NAMES for ending in ("png", "webp")]
    assert [(row["output"], row["status"]) for row in table(folders)] == [
        (name, "painted") for name in outputs
    ]
    for ending in ("png", "webp"):
        assert [row.status for row in paint(folders, photo_run, ending=ending, resume=True)] == [
            "kept",
            "kept",
        ]
    # what is missing is not said to be there
    (folders / "out" / "anna.png").unlink()
    (folders / "photos" / "anna.png").write_bytes(b"no image")
    paint(folders, photo_run, resume=True)
    rows = [(row["output"], row["status"]) for row in table(folders) if row["image"] == "anna.png"]
    assert rows == [("", "failed"), ("anna.webp", "kept")]


def test_a_table_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be written"):
        write_table(tmp_path, [], [], [])
