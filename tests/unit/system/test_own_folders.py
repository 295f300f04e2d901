"""Folders that skinfw wrote are recognized by the files that it writes there."""

from __future__ import annotations

from pathlib import Path

from skinfw.contact_sheet.build import LIST_FILE, PAGE_FILE
from skinfw.inference import photo_task
from skinfw.repair import folder as repair_folder
from skinfw.runs.folder import OWN_FILES
from skinfw.system.own_folders import OWN_FOLDERS, TABLES, listed_images, own_folder


def test_they_have_the_names_of_the_files_that_are_written() -> None:
    assert set(OWN_FOLDERS["a run"]) < set(OWN_FILES)
    assert set(OWN_FOLDERS["a contact sheet"]) == {LIST_FILE, PAGE_FILE}
    assert TABLES == (photo_task.TABLE, repair_folder.TABLE)


def test_folders_with_some_of_the_names_are_others() -> None:
    assert own_folder({*OWN_FILES}) == "a run"
    assert own_folder({"spec.json", "front.jpg"}) == own_folder({"index.html"}) == own_folder(()) == ""


def test_lines_that_another_program_wrote_list_nothing(tmp_path: Path) -> None:
    (tmp_path / "painted.jsonl").write_bytes(
        b'{"output": "a/x.png"}\n{"output": ""}\n[1]\n{"output": 3}\n{}\n\xff\n{"output": "y.'
    )
    assert listed_images(tmp_path, ["painted.jsonl"]) == {tmp_path / "a" / "x.png"}
    assert listed_images(tmp_path, ["repaired.jsonl", "y.png"]) == set()
