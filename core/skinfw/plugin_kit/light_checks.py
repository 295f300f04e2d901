"""The checks of a plugin that need no torch: entry points, manifests, names, configurations."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from importlib.util import find_spec

from skinfw.components.manifest import Entry, manifest_text, package_manifest, read_manifest
from skinfw.components.registry import ENTRY_POINT_GROUP, Registry, distribution_key, load_registry
from skinfw.errors import RegistryError
from skinfw.hooks.caller import ENTRY_POINT_GROUP as HOOK_GROUP
from skinfw.plugin_kit.find import points_of
from skinfw.plugin_kit.result import Result

TORCH = "torch"


def light_checks(name: str) -> Iterator[Result]:
    """Check an installed plugin as far as possible without torch.

    Args:
        name: the name of its distribution.
    """
    distribution = metadata.distribution(name)
    packages, hooks = (points_of(distribution, group) for group in (ENTRY_POINT_GROUP, HOOK_GROUP))
    if not packages and not hooks:
        reason = f"it has no entry point in {ENTRY_POINT_GROUP} or {HOOK_GROUP}"
        yield Result("entry point", distribution.name, "failed", reason)
    registry = load_registry(without=distribution_key(name))
    for point in packages:
        yield from _package(point, f"{distribution.name} {distribution.version}", registry)
    for point in hooks:
        yield _hook_module(point)


def _package(point: metadata.EntryPoint, provider: str, others: Registry) -> Iterator[Result]:
    try:
        path = package_manifest(point)
    except (Exception, SystemExit) as error:  # finding a package can run the code of an import hook
        yield Result("entry point", point.value, "failed", str(error))
        return
    yield Result("entry point", point.value, "passed")
    try:
        entries = read_manifest(manifest_text(path), provider)
    except (OSError, ValueError) as error:
        yield Result("manifest", str(path), "failed", str(error))
        return
    yield Result("manifest", str(path), "passed")
    try:
        others.reject_clashes(entries)
    except ValueError as error:
        yield Result("names", str(path), "failed", str(error))
        return
    yield Result("names", str(path), "passed")
    yield from _configurations(entries)


def _configurations(entries: Sequence[Entry]) -> Iterator[Result]:
    registry = Registry({(entry.kind, entry.name): entry for entry in entries})
    loaded_by = ""
    for entry in entries:
        subject = f"{entry.kind} {entry.name}"
        try:
            registry.config_class(entry.kind, entry.name)
        except RegistryError as error:
            yield Result("configuration", subject, "failed", str(error))
            continue
        if loaded_by:
            reason = f"torch was already imported by the configuration of {loaded_by}"
            yield Result("configuration", subject, "skipped", reason)
        elif TORCH in sys.modules:
            loaded_by = subject
            reason = f"importing {entry.config} imports torch; move the class to another module"
            yield Result("configuration", subject, "failed", reason)
        else:
            yield Result("configuration", subject, "passed")


def _hook_module(point: metadata.EntryPoint) -> Result:
    try:
        found = find_spec(point.module)
    except (Exception, SystemExit) as error:  # the package above it is imported
        reason = f"{type(error).__name__}: {error}"
        return Result("entry point", point.value, "failed", reason)
    if found is None:
        return Result("entry point", point.value, "failed", f"the module {point.module} was not found")
    return Result("entry point", point.value, "passed")
