"""Checks of weights and folders."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import ValidationError

from skinfw.components.config import ComponentConfig
from skinfw.components.origin import origin_of
from skinfw.components.registry import Registry, load_registry
from skinfw.components.weights import VARIABLE, WeightsFile, weights_on_disk
from skinfw.doctor.installation import Check, reason
from skinfw.errors import RegistryError, UserError, listed
from skinfw.models.embedded import HOW_TO_EMBED, embedded_file, embedded_models
from skinfw.system.disk_budget import FREE
from skinfw.system.folders import cache_folder, state_folder


def weights_checks() -> Iterator[Check]:
    """Look for the weights of published networks, and name the files that you must provide.

    The models in the package are checked too.
    """
    files: dict[WeightsFile, list[str]] = {}
    provided = []
    for owner, config in _configurations(load_registry()):
        for name, field in config.model_fields.items():
            origin = origin_of(field)
            if origin is not None and field.is_required():
                provided.append(Check(owner, "absent", f"needs {name}: {field.description}", str(origin)))
        try:
            used = config().published_files()
        except ValidationError:  # it has required fields
            continue
        for file in used:
            files.setdefault(file, []).append(owner)
    for file, owners in files.items():
        yield _look_for(file, listed(owners))
    yield from provided
    yield from _embedded()


def _embedded() -> Iterator[Check]:
    """Check the models in the package."""
    models = embedded_models()
    if not models:
        yield Check("models in the package", "absent", "this installation contains none", HOW_TO_EMBED)
    for model in models.values():
        try:
            yield Check(model.reference, "ok", f"{model.summary} {embedded_file(model.reference)}")
        except UserError as error:
            yield Check(model.reference, "error", str(error))


def _configurations(registry: Registry) -> Iterator[tuple[str, type[ComponentConfig]]]:
    for kind, name in registry.entries:
        try:
            yield f"{kind.replace('_', ' ')} {name}", registry.config_class(kind, name)
        except RegistryError:  # the check of plugins reports it
            continue


def _look_for(file: WeightsFile, owners: str) -> Check:
    what = f"{file.purpose}, for {owners}"
    try:
        found = weights_on_disk(file)
    except UserError as error:
        return Check(file.name, "warning", str(error))
    except Exception as error:  # torch, which knows its folder, is broken
        return Check(file.name, "warning", f"{what}; cannot be looked for: {reason(error)}")
    if found is not None:
        return Check(file.name, "ok", f"{what}; {found}")
    return Check(
        file.name, "absent", f"{what}; not on disk (license: {file.license})",
        f"it is downloaded when needed; offline, get {file.url} and put it into the folder in {VARIABLE}",
    )  # fmt: skip


def folder_checks() -> Iterator[Check]:
    """Check the folders that skinfw writes to, and their disks."""
    chosen = os.environ.get(VARIABLE)
    if chosen and not Path(chosen).is_dir():
        yield Check(VARIABLE, "warning", f"{chosen}: no such folder", "create it, or unset the variable")
    yield _folder("cache", cache_folder, "SKINFW_CACHE")
    yield _folder("state", state_folder, "XDG_STATE_HOME", required=False)
    yield _folder("temporary files", lambda: Path(tempfile.gettempdir()), "TMPDIR")
    yield _folder("current folder", Path.cwd, "", required=False)


def _folder(name: str, find: Callable[[], Path], variable: str, *, required: bool = True) -> Check:
    """Check a folder: whether it can be written to, and whether its disk has space."""
    other = f"set {variable} to another folder" if variable else "change to another folder"
    try:
        folder = find()
        existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        free = shutil.disk_usage(existing).free
        usable = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    except (OSError, RuntimeError) as error:  # RuntimeError: no home folder
        return Check(name, "error" if required else "warning", reason(error), other)
    text = f"{folder}, {free / 2**30:.1f} GiB free"
    if not usable:
        problem = f"{text}; cannot be written to"
        return Check(name, "error" if required else "warning", problem, f"change its rights, or {other}")
    if free < FREE:
        return Check(name, "warning", f"{text}: too little", f"free some space, or {other}")
    return Check(name, "ok", text)
