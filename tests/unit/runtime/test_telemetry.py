"""ONNX Runtime does not report its use while skinfw runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from skinfw.export import paint_script


def loads(code: str, cache: Path) -> list[str]:
    """Return the files that a process writes into the user's cache and home."""
    hidden = {"ORT_DISABLE_TELEMETRY"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {"XDG_CACHE_HOME": str(cache), "HOME": str(cache)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=120)
    return [path.name for path in cache.rglob("*") if path.is_file()]


@pytest.mark.parametrize("before", ["import skinfw", "from skinfw.runtime import OnnxModel"])
def test_it_leaves_no_number_of_the_device(tmp_path: Path, before: str) -> None:
    assert loads(f"{before}; import onnxruntime", tmp_path) == []


def test_the_script_beside_an_exported_network_leaves_none_and_says_how_to_use_it(tmp_path: Path) -> None:
    code = f"import runpy; runpy.run_path({str(paint_script.__file__)!r})"
    assert loads(code, tmp_path) == []
    for arguments, ending in ((["photo.png"], 1), (["--help"], 0), (["folder", "-h"], 0)):
        done = subprocess.run(
            [sys.executable, paint_script.__file__, *arguments], capture_output=True, text=True, check=False
        )
        help_text, nothing = (done.stdout, done.stderr) if ending == 0 else (done.stderr, done.stdout)
        assert (done.returncode, nothing) == (ending, "")
        assert "Usage: python paint.py FOLDER OUTPUT.png" in help_text and "Traceback" not in help_text


def test_somebody_who_wants_reports_gets_them(tmp_path: Path) -> None:
    name = "ORT_DISABLE_TELEMETRY"
    code = f"import os, skinfw; print(os.environ[{name!r}])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, name: "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "0"
