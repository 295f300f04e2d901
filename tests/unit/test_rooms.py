"""The rooms of core: which packages there are, and that imports run one way."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import skinfw

CORE = Path(str(skinfw.__file__)).parent

ROOMS = (
    "errors",
    "system",
    "licenses",
    "runtime",
    "components",
    "models",
    "specs",
    "data",
    "interfaces",
    "assembly",
    "preparation",
    "runs",
    "inference",
    "evaluation",
    "reporting",
    "hooks",
    "training",
    "doctor",
    "ablation",
    "benchmark",
    "repair",
    "tasks",
    "export",
    "sharing",
    "contact_sheet",
    "serving",
    "pipeline",
    "testing",
    "plugin_kit",
    "cli",
)
"""From the lowest to the highest: each imports from those before it."""


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the rooms that a module imports from, also those imported for annotations alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").startswith("skinfw."):
            yield str(node.module).split(".")[1]
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None)
            names = [module] if module else [alias.name for alias in node.names]
            assert not getattr(node, "level", 0), "imports are absolute"
            assert not any(name.split(".")[0] == "skinfw" for name in names), "write: from skinfw.room import"


def test_every_module_is_in_a_room() -> None:
    found = {path.stem for path in CORE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert found == {*ROOMS, "__init__", "__main__"}


def test_imports_run_one_way() -> None:
    for path in CORE.rglob("*.py"):
        name = path.relative_to(CORE)
        if name.name in ("__init__.py", "__main__.py") and len(name.parts) == 1:
            continue
        own = ROOMS.index(name.parts[0].removesuffix(".py"))
        for room in imported(ast.parse(path.read_text(encoding="utf-8"))):
            assert ROOMS.index(room) <= own, f"{name} imports from {room}, which comes after its own room"


def test_the_rooms_are_explained_in_their_order() -> None:
    text = (CORE.parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("| room |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(ROOMS)
