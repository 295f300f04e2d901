"""The rooms of core: which packages there are, and that imports run one way."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import skinfw

CORE = Path(str(skinfw.__file__)).parent

ROOMS = (
    "errors",
    "system",
    "components",
    "specs",
    "data",
    "interfaces",
    "assembly",
    "runs",
    "inference",
    "evaluation",
    "reporting",
    "hooks",
    "training",
    "preparation",
    "doctor",
    "ablation",
    "benchmark",
    "tasks",
    "contact_sheet",
    "pipeline",
    "testing",
    "cli",
)
"""From the lowest to the highest: each imports from those before it."""

FOR_TYPES = {("data/loading.py", "interfaces")}
"""Imports upwards, for annotations alone; each says why."""


def imported(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """Yield the rooms that a module imports from, and whether for types alone."""
    for node in ast.iter_child_nodes(tree):
        types_alone = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("skinfw."):
            yield str(node.module).split(".")[1], False
        else:
            for room, for_types in imported(node):
                yield room, for_types or types_alone


def test_every_module_is_in_a_room() -> None:
    found = {path.stem for path in CORE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert found == {*ROOMS, "__init__", "__main__"}


def test_imports_run_one_way() -> None:
    upwards = set()
    for path in CORE.rglob("*.py"):
        name = path.relative_to(CORE)
        if name.name in ("__init__.py", "__main__.py") and len(name.parts) == 1:
            continue
        own = ROOMS.index(name.parts[0].removesuffix(".py"))
        for room, for_types in imported(ast.parse(path.read_text(encoding="utf-8"))):
            if ROOMS.index(room) > own:
                assert for_types, f"{name} imports from {room}, which is above it"
                upwards.add((name.as_posix(), room))
    assert upwards == FOR_TYPES
