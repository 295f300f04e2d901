"""Whether what skinfw needs of a plugin is in its wheel."""

from __future__ import annotations

import subprocess
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from skinfw.components.manifest import MANIFEST, manifest_text, read_manifest
from skinfw.components.registry import ENTRY_POINT_GROUP
from skinfw.errors import first_line
from skinfw.hooks.caller import ENTRY_POINT_GROUP as HOOK_GROUP
from skinfw.plugin_kit.find import Plugin
from skinfw.plugin_kit.result import Result


def check_wheel(plugin: Plugin) -> Result:
    """Build the wheel of a plugin in a folder, and look for its manifest and modules in it."""
    if plugin.folder is None:
        reason = "an installed plugin has no source to build; name its folder"
        return Result("wheel", plugin.name, "skipped", reason)
    try:
        from build import BuildBackendException, BuildException, ProjectBuilder
        from pyproject_hooks import quiet_subprocess_runner
    except ImportError:
        return Result("wheel", plugin.name, "skipped", "not installed: build; pip install build")
    with tempfile.TemporaryDirectory(prefix="skinfw-") as folder:
        try:
            builder = ProjectBuilder(plugin.folder, runner=quiet_subprocess_runner)
            missing = sorted(each[0] for each in builder.check_dependencies("wheel"))
            if missing:
                reason = f"not installed: {', '.join(missing)}, which builds the wheel"
                return Result("wheel", plugin.name, "skipped", reason)
            wheel = Path(builder.build("wheel", folder))
        except (BuildBackendException, BuildException, subprocess.CalledProcessError) as error:
            return Result("wheel", plugin.name, "failed", f"it cannot be built: {first_line(error)}")
        with zipfile.ZipFile(wheel) as archive:
            lacking = _lacking(plugin, set(archive.namelist()))
        if lacking:
            return Result("wheel", wheel.name, "failed", f"it lacks {', '.join(lacking)}")
        return Result("wheel", wheel.name, "passed")


def _lacking(plugin: Plugin, files: set[str]) -> list[str]:
    """Return the manifests and modules of a plugin that are not among the files of its wheel."""
    packages = plugin.entry_points.get(ENTRY_POINT_GROUP, {}).values()
    manifests = [f"{package}/{MANIFEST}" for package in packages]
    modules = [value.partition(":")[0] for value in plugin.entry_points.get(HOOK_GROUP, {}).values()]
    for package in packages:
        modules += [package, *_targets(plugin, package)]
    lacking = [path for path in manifests if path not in files]
    return lacking + [module for module in dict.fromkeys(modules) if not files & set(_paths(module))]


def _targets(plugin: Plugin, package: str) -> Iterable[str]:
    """Return the modules that a manifest names."""
    try:
        entries = read_manifest(manifest_text(plugin.root / package / MANIFEST), str(plugin))
    except (OSError, ValueError):  # the check of the manifest says why
        return []
    return [target.partition(":")[0] for entry in entries for target in (entry.target, entry.config)]


def _paths(module: str) -> tuple[str, str]:
    path = module.replace(".", "/")
    return f"{path}.py", f"{path}/__init__.py"
