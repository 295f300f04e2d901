"""A new plugin package, from the templates in this folder. Light: no torch."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from skinfw.components import config as base_configs
from skinfw.components.manifest import INTERFACE, MANIFEST, read_manifest
from skinfw.components.registry import ENTRY_POINT_GROUP, installed
from skinfw.errors import RunError, UserError, write_error_text
from skinfw.hooks.caller import ENTRY_POINT_GROUP as HOOK_GROUP
from skinfw.plugin_kit.find import SPEC
from skinfw.specs.overrides import apply_overrides

HOOK = "hook"
"""The kind of a plugin that has no component."""

SUMMARIES = {
    "loss": "Difference of the edges of output and ground truth.",
    "metric": "Fraction of pixels that differ visibly from the ground truth.",
    "generator": "A small network of dilated convolutions.",
    "discriminator": "A small discriminator of patches.",
    "segmenter": "One person on a plain background, by color and proportions.",
    "pose_encoder": "One person on a plain background, by an average body's proportions.",
    "dataset": "Photos with their label maps beside them.",
    "augmentation": "Random gamma: darker or brighter midtones.",
    "input": "The edges of the agnostic image.",
    HOOK: "Writes the losses of every tenth step to a file in the run folder.",
}
"""The kinds of plugins, with what the class or hook in the template does."""

_WITH_PHOTOS: Mapping[str, Literal["labels", "pose"]] = {
    "dataset": "labels",
    "pose_encoder": "labels",
    "segmenter": "pose",
}
"""The kinds that work on photos, with what is beside each photo in the new package."""

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass(frozen=True)
class NewPlugin:
    """A plugin package to write.

    Attributes:
        name: the name of its component, or of its hook.
        kind: the kind of the component, or ``hook``.
    """

    name: str
    kind: str

    @property
    def package(self) -> str:
        """The Python package, for instance ``skinfw_edge``."""
        return f"skinfw_{self.name}"

    @property
    def distribution(self) -> str:
        """The name that pip knows, for instance ``skinfw-edge``."""
        return self.package.replace("_", "-")

    @property
    def spec(self) -> Path:
        """The path of its spec in its folder."""
        return Path(self.package, SPEC)

    def texts(self) -> dict[str, str]:
        """Return its text files by path."""
        module = "hooks" if self.kind == HOOK else self.kind
        files = {
            "pyproject.toml": "shared/pyproject.toml",
            "README.md": "shared/README.md",
            f"{self.package}/__init__.py": "shared/__init__.py",
            f"{self.package}/{module}.py": f"{self.kind}/{module}.py",
            f"tests/test_{self.name}.py": f"{self.kind}/test.py",
        }
        if self.kind != HOOK:
            files[f"{self.package}/config.py"] = f"{self.kind}/config.py"
            files[f"{self.package}/{MANIFEST}"] = f"component/{MANIFEST}"
        texts = {path: self._filled(template) for path, template in files.items()}
        spec, changes = (json.loads(self._filled(f"{folder}/{SPEC}")) for folder in ("shared", self.kind))
        fields = apply_overrides(spec, changes, SPEC).items()
        lines = [f"  {json.dumps(field)}: {json.dumps(value)}" for field, value in fields]
        return {**texts, self.spec.as_posix(): "{\n" + ",\n".join(lines) + "\n}\n"}

    def _filled(self, template: str) -> str:
        camel = "".join(word.capitalize() for word in self.name.split("_"))
        suffix = "".join(word.capitalize() for word in self.kind.split("_"))
        title = self.kind.replace("_", " ")
        return (
            _environment()
            .get_template(f"{template}.jinja")
            .render(
                name=self.name,
                kind=self.kind,
                title=title,
                plural=f"{title}es" if title.endswith("s") else f"{title}s",
                package=self.package,
                distribution=self.distribution,
                requirement=_requirement(),
                group=HOOK_GROUP if self.kind == HOOK else ENTRY_POINT_GROUP,
                entry_point=f"{self.package}.hooks" if self.kind == HOOK else self.package,
                interface=INTERFACE,
                component=f"{camel}{suffix}",
                config=f"{camel}Config",
                summary=SUMMARIES[self.kind],
                photos=self.kind in _WITH_PHOTOS,
            )
        )


def new_plugin(name: str, kind: str, folder: Path) -> NewPlugin:
    """Write a plugin package: a class that works, its configuration, manifest, tests and spec.

    Args:
        name: the name of the component or hook; the package is called ``skinfw_NAME``.
        kind: one of `SUMMARIES`.
        folder: a folder that is empty or does not exist.

    Raises:
        UserError: the name is invalid or taken, or the folder is not empty; nothing is written.
        RunError: the folder cannot be written to; nothing of the package is left there.
    """
    plugin = NewPlugin(name, kind)
    _check_name(plugin)
    files = {path: text.encode() for path, text in plugin.texts().items()}
    _check_manifest(plugin, files)
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UserError(f"{folder}: already exists and is not an empty folder; give another with --output")
    if kind in _WITH_PHOTOS:
        from skinfw.plugin_kit.drawn_photos import drawn_photos

        photos = drawn_photos(_WITH_PHOTOS[kind])
        files |= {f"{plugin.package}/photos/{path}": image for path, image in photos.items()}
    _write(folder, files)
    return plugin


def _check_name(plugin: NewPlugin) -> None:
    name = plugin.name
    if not _NAME.fullmatch(name):
        raise UserError(
            f"{name!r}: not a name for a package; use lowercase letters, digits and single underscores, "
            "for instance skin_edges"
        )
    config = "".join(word.capitalize() for word in name.split("_")) + "Config"
    if plugin.kind != HOOK and hasattr(base_configs, config):
        raise UserError(f"{name!r}: skinfw already has a class {config}; choose another name")
    if find_spec(plugin.package) is not None:
        raise UserError(f"{name!r}: a package {plugin.package} is already installed; choose another name")


def _check_manifest(plugin: NewPlugin, files: Mapping[str, bytes]) -> None:
    manifest = files.get(f"{plugin.package}/{MANIFEST}")
    if manifest is None:
        return
    try:
        installed().reject_clashes(read_manifest(manifest.decode(), plugin.distribution))
    except ValueError as error:
        raise UserError(f"{error}; choose another name") from None


def _requirement() -> str:
    """Return the versions of skinfw that keep what the plugin uses, as the page about versions promises."""
    version = metadata.version("skinfw")
    major, minor = (int(part) for part in version.split(".")[:2])
    following = f"0.{minor + 1}" if major == 0 else f"{major + 1}"
    return f"skinfw>={major}.{minor},<{following}"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("skinfw", "plugin_kit/templates"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
    )


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write all files or none; the folder itself is made if it is missing."""
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _move_in(folder, files)
        except BaseException:
            if made:
                folder.rmdir()
            raise
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {write_error_text(error)}") from error


def _move_in(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files to a hidden folder, then move them to their places; on an error, move them back."""
    with tempfile.TemporaryDirectory(prefix=".", dir=folder) as hidden:
        for name, data in files.items():
            path = Path(hidden, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        moved: list[Path] = []
        try:
            for path in sorted(Path(hidden).iterdir()):
                moved.append(path.rename(folder / path.name))
        except BaseException:
            for path in moved:
                path.rename(Path(hidden, path.name))
            raise
