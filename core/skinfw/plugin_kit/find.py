"""Finds a plugin: a folder with its source, or an installed distribution. Light: no torch."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from skinfw.components.registry import ENTRY_POINT_GROUP, distribution_key
from skinfw.errors import SpecError, UserError, listed
from skinfw.hooks.caller import ENTRY_POINT_GROUP as HOOK_GROUP
from skinfw.system.json_file import read_text

SPEC = "spec.json"
"""The file in a plugin's package with a short run that uses the plugin."""

PROJECT = "pyproject.toml"


@dataclass(frozen=True)
class Plugin:
    """A plugin to check.

    Attributes:
        name: the name of its distribution.
        version: the version of its distribution.
        folder: the folder with its source; None for an installed plugin.
        entry_points: names and values of its entry points by group; empty for an installed plugin.
    """

    name: str
    version: str
    folder: Path | None
    entry_points: Mapping[str, Mapping[str, str]]

    @property
    def root(self) -> Path:
        """The folder that holds the packages of a plugin in a folder."""
        folder = self.folder or Path()
        return folder / "src" if (folder / "src").is_dir() else folder

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def find_plugin(target: str) -> Plugin:
    """Return the plugin in a folder, or the installed plugin of that name.

    Raises:
        UserError: there is neither, or the folder has no usable pyproject.toml; the message says what to do.
    """
    folder = Path(target)
    if folder.is_dir():
        return _in_folder(folder)
    plugins = {
        distribution_key(point.dist.name): point.dist
        for group in (ENTRY_POINT_GROUP, HOOK_GROUP)
        for point in metadata.entry_points(group=group)
        if point.dist
    }
    found = plugins.get(distribution_key(target))
    if found is None:
        known = listed(sorted(each.name for each in plugins.values())) or "none"
        raise UserError(f"{target}: neither a folder nor an installed plugin (installed: {known})")
    return Plugin(found.name, found.version, None, {})


def _in_folder(folder: Path) -> Plugin:
    path = folder / PROJECT
    if not path.is_file():
        raise UserError(f"{path}: no such file; give the folder of a plugin, or the name of an installed one")
    try:
        project = tomllib.loads(read_text(path)).get("project", {})
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SpecError(str(path), [f"not valid TOML: {error}"]) from None
    name = project.get("name") if isinstance(project, dict) else None
    if not isinstance(name, str):
        raise SpecError(str(path), ["[project] has no name; add one"])
    if "entry-points" in project.get("dynamic", []):
        raise SpecError(str(path), [f"its entry points are dynamic; install it and check {name!r} instead"])
    version = project.get("version", "0")  # a dynamic version is known only when it is built
    return Plugin(name, str(version), folder.resolve(), _tables(project.get("entry-points")))


def _tables(value: Any) -> dict[str, dict[str, str]]:
    """Return tables of texts, without what is something else."""
    tables = value.items() if isinstance(value, dict) else ()
    return {
        group: {name: point for name, point in table.items() if isinstance(point, str)}
        for group, table in tables
        if isinstance(table, dict)
    }


@contextmanager
def importable(plugin: Plugin) -> Iterator[dict[str, str]]:
    """Yield the environment of processes in which a plugin is installed as its source is now.

    Nothing is installed: a folder with the metadata comes before all others, and hides another version.
    """
    environment = {**os.environ, "SKINFW_NO_PLUGINS": "", "SKINFW_REGISTRIES": ""}
    if plugin.folder is None:
        yield environment
        return
    with TemporaryDirectory(prefix="skinfw-") as staged:
        key = distribution_key(plugin.name).replace("-", "_")
        about = Path(staged, f"{key}-{plugin.version}.dist-info")
        about.mkdir()
        head = f"Metadata-Version: 2.1\nName: {plugin.name}\nVersion: {plugin.version}\n"
        (about / "METADATA").write_text(head, encoding="utf-8")
        lines = []
        for group, points in plugin.entry_points.items():
            lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
        (about / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        paths = [staged, str(plugin.root), os.environ.get("PYTHONPATH", "")]
        yield {**environment, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def points_of(distribution: metadata.Distribution, group: str) -> list[metadata.EntryPoint]:
    """Return the entry points of an installed distribution in one group."""
    return [point for point in distribution.entry_points if point.group == group]


def spec_of(distribution: metadata.Distribution) -> Path | None:
    """Return the path of an installed plugin's spec; None if it has none."""
    points = points_of(distribution, ENTRY_POINT_GROUP) + points_of(distribution, HOOK_GROUP)
    for package in dict.fromkeys(point.module.partition(".")[0] for point in points):
        found = find_spec(package)
        for place in (found and found.submodule_search_locations) or ():
            if Path(place, SPEC).is_file():
                return Path(place, SPEC)
    return None
