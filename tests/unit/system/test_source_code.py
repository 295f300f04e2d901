"""The fingerprint of code: any change of a package changes it."""

from __future__ import annotations

import subprocess
import sys
from abc import ABC
from pathlib import Path

import pytest

from skinfw.data.keypoints import Keypoints
from skinfw.data.sample import Sample
from skinfw.system.source_code import code_fingerprint

CALL = (
    "from {0} import Thing\nfrom skinfw.system.source_code import code_fingerprint\n"
    "print(code_fingerprint([Thing]))"
)


def in_process(folder: Path, call: str) -> str:
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(folder)!r})\n{call}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_classes_of_one_package_share_a_fingerprint() -> None:
    one = code_fingerprint([Sample])
    assert one is not None and len(one) == 64
    assert one == code_fingerprint([Keypoints, Sample]) == code_fingerprint([Keypoints, ABC, int])
    assert one != code_fingerprint([Sample, pytest.Item])


def test_any_module_of_the_package_and_of_its_base_counts(tmp_path: Path) -> None:
    (tmp_path / "own" / "sub").mkdir(parents=True)
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "__init__.py").write_text("class Base: pass\n")
    (tmp_path / "own" / "__init__.py").write_text("from base import Base\nclass Thing(Base): pass\n")
    helper = tmp_path / "own" / "sub" / "helper.py"
    helper.write_text("FACTOR = 1\n")
    found = [in_process(tmp_path, CALL.format("own"))]
    (tmp_path / "own" / "notes.txt").write_text("not code")
    assert in_process(tmp_path, CALL.format("own")) == found[0]
    helper.write_text("FACTOR = 2\n")
    found.append(in_process(tmp_path, CALL.format("own")))
    helper.rename(helper.with_name("other.py"))
    found.append(in_process(tmp_path, CALL.format("own")))
    (tmp_path / "base" / "__init__.py").write_text("class Base: x = 1\n")
    found.append(in_process(tmp_path, CALL.format("own")))
    assert len(set(found)) == 4 and all(len(each) == 64 for each in found)


def test_a_module_of_one_file_may_import_others_beside_it(tmp_path: Path) -> None:
    (tmp_path / "my_helper.py").write_text("FACTOR = 1\n")
    (tmp_path / "my_set.py").write_text("import my_helper\nclass Thing: pass\n")
    assert in_process(tmp_path, CALL.format("my_set")) == "None"
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "__init__.py").write_text("from my_set import Thing as One\nclass Thing(One): pass\n")
    assert in_process(tmp_path, CALL.format("own")) == "None"


def test_neither_a_script_nor_a_session_is_a_package(tmp_path: Path) -> None:
    source = "class Thing: pass\n" + CALL.split("\n", 1)[1]
    script = tmp_path / "script.py"
    script.write_text(source)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"
    assert in_process(tmp_path, source) == "None"
