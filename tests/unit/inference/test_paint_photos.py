from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_photos import write_drawn_photo
from PIL import Image

from skinfw.errors import DataError, RunError, UserError
from skinfw.inference.inpainter import Inpainter
from skinfw.inference.paint_photos import TABLE, check_rows, paint_photos
from skinfw.inference.photo_task import PaintRow, PaintWork

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


def paint(folder: Path, run: Path, photos: str = "photos", **options: Any) -> list[PaintRow]:
    settings = {name: options.pop(name) for name in ("show_masks", "on_error") if name in options}
    options = {"masks": folder / "masks", "num_workers": 1, **options}
    return paint_photos(work(folder, run, **settings), folder / photos, **options)


def table(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "out" / TABLE).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_a_folder_is_painted_under_the_same_names_with_a_row_for_each(folders: Path, photo_run: Path) -> None:
    told: list[tuple[int, int]] = []
    rows = paint(folders, photo_run, show_masks=folders / "shown", progress=lambda *at: told.append(at))
    assert [(row.photo, row.output, row.status) for row in rows] == [
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


def test_what_is_there_is_not_overwritten_unasked(folders: Path, photo_run: Path) -> None:
    (folders / "out").mkdir()
    (folders / "out" / "anna.png").write_bytes(b"mine")
    with pytest.raises(RunError, match=r"already holds anna\.png; continue with --resume"):
        paint(folders, photo_run)
    with pytest.raises(RunError, match=r"anna\.png was edited, or not painted by skinfw"):
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
        file.write('{"photo": "half a li')
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
    with pytest.raises(DataError, match=r"(?s)2 of 3 photos were not painted; .*painted\.jsonl says why"):
        check_rows(rows, folders / "out")
    check_rows(rows[:1], folders / "out")
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
    task = type("Task", (), {"entry": type("Entry", (), {"name": "a.png"})})
    row = work(tmp_path, tmp_path).lost(task)
    assert row.status == "failed"
    assert "ended unexpectedly" in row.reason
    with pytest.raises(DataError, match=r"a\.png: the process that painted it ended"):
        work(tmp_path, tmp_path, on_error="fail").lost(task)


def test_two_photos_of_one_name_and_folders_in_the_way(folders: Path, photo_run: Path) -> None:
    shutil.copy(folders / "photos" / "anna.png", folders / "photos" / "anna.webp")
    rows = paint(folders, photo_run)
    assert [row.status for row in rows] == ["painted", "failed", "painted"]
    assert "in the way" in rows[1].reason
    with pytest.raises(UserError, match="give a folder with one mask per photo"):
        paint(folders, photo_run, masks=folders / "masks" / "anna.png")
