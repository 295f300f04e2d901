"""The public names are those that a file lists, so that nobody changes one unawares.

After an intended change, write the file again and mention the change in the changelog:

    .venv/bin/python tests/unit/test_public_names.py
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "versioning.md"
SNAPSHOT = ROOT / "tests" / "data" / "public_names.txt"


def _modules() -> list[str]:
    """Return the public modules: those in the table of the page about versions."""
    return re.findall(r"^\| `(skinfw[\w.]*)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def _tree(module: str) -> ast.Module:
    path = ROOT.joinpath("core", *module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


def _assigned(node: ast.stmt) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    elements = [part for each in targets for part in (each.elts if isinstance(each, ast.Tuple) else [each])]
    return [each.id for each in elements if isinstance(each, ast.Name)]


def _defined(body: list[ast.stmt]) -> Iterator[tuple[str, ast.stmt]]:
    """Yield the public names that the body of a module or class defines."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names = [node.name]
        else:
            names = _assigned(node) if isinstance(node, ast.Assign | ast.AnnAssign) else []
        yield from ((name, node) for name in names if not name.startswith("_"))


def _exported(tree: ast.Module) -> dict[str, ast.stmt] | None:
    """Return what a module with ``__all__`` offers, with its definitions in other modules of skinfw."""
    if not any("__all__" in _assigned(node) for node in tree.body if isinstance(node, ast.Assign)):
        return None
    homes = {
        alias.name: dict(_defined(_tree(str(node.module)).body))[alias.name]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("skinfw")
        for alias in node.names
    }
    (listed,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and "__all__" in _assigned(node)
    )
    homes |= dict(_defined(tree.body))
    return {name: homes[name] for name in listed}


def public_names() -> str:
    """Return the modules, their names, and the members of their classes, one name per line."""
    lines = []
    for module in _modules():
        tree = _tree(module)
        lines.append(module)
        for name, node in sorted((_exported(tree) or dict(_defined(tree.body))).items()):
            members = (
                sorted({each for each, _ in _defined(node.body)}) if isinstance(node, ast.ClassDef) else []
            )
            lines.append(f"    {name}" + (f": {', '.join(members)}" if members else ""))
    return "\n".join(lines) + "\n"


def test_public_names_are_those_of_the_snapshot() -> None:
    assert public_names().splitlines() == SNAPSHOT.read_text(encoding="utf-8").splitlines(), __doc__


def test_the_snapshot_covers_what_plugins_use() -> None:
    names = public_names()
    assert "\n    Loss: " in names and "generator_loss" in names
    assert "\n    check_generator\n" in names
    imported = re.findall(r"^from (skinfw[\w.]*) import", _plugin(), re.MULTILINE)
    assert imported and set(imported) <= set(_modules())


def _plugin() -> str:
    """Return the code of the example plugin, its tutorial, and the templates of new plugins."""
    templates = ROOT / "core" / "skinfw" / "plugin_kit" / "templates"
    paths = [*(ROOT / "examples" / "plugin").rglob("*.py"), *templates.rglob("*.py.jinja")]
    paths.append(ROOT / "docs" / "tutorial" / "first-plugin.md")
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    return re.sub(r"^from skinfw_meantone.*", "", text, flags=re.MULTILINE)


if __name__ == "__main__":
    SNAPSHOT.write_text(public_names(), encoding="utf-8", newline="\n")
