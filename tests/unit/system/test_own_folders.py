"""Folders that skinfw wrote are recognized by the files that it writes there."""

from __future__ import annotations

from skinfw.contact_sheet.build import LIST_FILE, PAGE_FILE
from skinfw.runs.evaluation_folder import EvaluationFolder
from skinfw.runs.folder import OWN_FILES
from skinfw.system.own_folders import OWN_FOLDERS, own_folder


def test_they_have_the_names_of_the_files_that_are_written() -> None:
    assert set(OWN_FOLDERS["a run"]) < set(OWN_FILES)
    assert set(OWN_FOLDERS["a contact sheet"]) == {LIST_FILE, PAGE_FILE}
    documented = EvaluationFolder.__doc__ or ""
    assert all(name in documented for name in OWN_FOLDERS["an evaluation"])


def test_folders_with_some_of_the_names_are_others() -> None:
    assert own_folder({*OWN_FILES}) == "a run"
    assert own_folder({"spec.json", "front.jpg"}) == own_folder({"index.html"}) == own_folder(()) == ""
