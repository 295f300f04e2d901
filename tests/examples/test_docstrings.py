"""The examples in docstrings run and show what they print."""

from __future__ import annotations

import doctest
import sys
from importlib import import_module
from pathlib import Path

import pytest

import skinfw
import skinfw_plugins

EXTRAS = ("mediapipe", "ray", "transformers")
"""Libraries that only the optional extras bring."""


def _modules() -> list[str]:
    """Return the modules that have an example; the others are not imported."""
    found = []
    for package in (skinfw, skinfw_plugins):
        folder = Path(str(package.__file__)).parent
        for path in sorted(folder.rglob("*.py")):
            if ">>> " in path.read_text(encoding="utf-8"):
                parts = path.relative_to(folder.parent).with_suffix("").parts
                found.append(".".join(part for part in parts if part != "__init__"))
    return found


MODULES = _modules()


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for extra in EXTRAS:  # an example that needs one would fail for most users
        monkeypatch.setitem(sys.modules, extra, None)
    result = doctest.testmod(import_module(name))  # prints what differs
    assert result.failed == 0
    assert result.attempted > 0
    assert list(tmp_path.iterdir()) == []


def test_functions_of_every_kind_have_examples() -> None:
    rooms = {".".join(name.split(".")[:2]) for name in MODULES}
    wanted = {
        "skinfw.components",
        "skinfw.data",
        "skinfw.system",
        "skinfw_plugins.losses",
        "skinfw_plugins.metrics",
    }
    assert wanted <= rooms
