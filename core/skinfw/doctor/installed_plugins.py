"""Checks of the registry, of plugins and of their hooks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from importlib import metadata

from skinfw.components.registry import Entry, Registry, load_registry
from skinfw.doctor.installation import Check, reason
from skinfw.doctor.installed_packages import PACKAGE, missing_extra
from skinfw.errors import RegistryError, counted
from skinfw.hooks.caller import ENTRY_POINT_GROUP
from skinfw.system.quiet import quiet

REPAIR = "update, repair or uninstall the plugin"
"""What to do about a broken plugin."""


def component_checks() -> Iterator[Check]:
    """Check the manifests, and import every component whose extra is installed."""
    registry = load_registry()
    for problem in registry.problems:
        yield Check(problem.provider, "warning", problem.reason, REPAIR)
    broken = Counter[str]()
    for entry in registry.entries.values():
        wrong = _import_error(registry, entry)
        if wrong and not (_is_own(entry) and entry.extra and missing_extra(entry.extra)):
            broken[entry.provider] += 1
            name = f"{entry.kind} {entry.name}"
            if _is_own(entry):
                yield Check(name, "error", wrong, "reinstall skinfw")
            else:
                yield Check(name, "warning", wrong, REPAIR)
    for provider, count in Counter(entry.provider for entry in registry.entries.values()).items():
        works = f", {broken[provider]} broken" if broken[provider] else ""
        yield Check(provider, "ok", f"{counted(count, 'component')}{works}")


def hook_checks() -> Iterator[Check]:
    """Import every installed hook plugin."""
    for point in metadata.entry_points(group=ENTRY_POINT_GROUP):
        name = f"hooks of {point.dist.name} {point.dist.version}" if point.dist else f"hooks {point.name}"
        try:
            with quiet():
                point.load()
        except (Exception, SystemExit) as error:  # a broken distribution must not affect the others
            wrong = f"cannot be imported: {reason(error)}"
            yield Check(name, "warning", wrong, REPAIR)
        else:
            yield Check(name, "ok", point.value)


def _import_error(registry: Registry, entry: Entry) -> str:
    try:
        with quiet():
            registry.config_class(entry.kind, entry.name)
            registry.component_class(entry.kind, entry.name)
    except RegistryError as error:
        return str(error)
    return ""


def _is_own(entry: Entry) -> bool:
    return entry.provider.startswith(f"{PACKAGE} ")
