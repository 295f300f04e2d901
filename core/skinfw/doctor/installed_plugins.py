"""Checks of the registry, of plugins and of their hooks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib import metadata

from skinfw.components.manifest import Entry
from skinfw.components.registry import Registry, load_registry
from skinfw.doctor.installation import Check, reason
from skinfw.doctor.installed_packages import PACKAGE, missing_extra
from skinfw.errors import RegistryError, counted, listed
from skinfw.hooks.caller import ENTRY_POINT_GROUP
from skinfw.system.quiet import quiet

REPAIR = "update, repair or uninstall the plugin"
"""What to do about a broken plugin."""

MAX_NAMED = 5
"""Maximum components that a line names."""


def component_checks() -> Iterator[Check]:
    """Check the manifests, and import every component whose extra is installed."""
    registry = load_registry()
    for problem in registry.problems:
        yield Check(problem.provider, "warning", problem.reason, problem.remedy or REPAIR)
    broken: dict[tuple[str, str], list[str]] = defaultdict(list)
    for entry in registry.entries.values():
        wrong = _import_error(registry, entry)
        if wrong and not (_is_own(entry.provider) and entry.extra and missing_extra(entry.extra)):
            broken[entry.provider, wrong].append(f"{entry.kind} {entry.name}")
    for (provider, wrong), names in broken.items():
        text = f"{counted(len(names), 'component')} cannot be imported: {wrong}: {listed(names, MAX_NAMED)}"
        if _is_own(provider):
            yield Check(provider, "error", text, "repair the packages that are broken, or reinstall skinfw")
        else:
            yield Check(provider, "warning", text, REPAIR)
    for provider, count in Counter(entry.provider for entry in registry.entries.values()).items():
        if all(provider != other for other, _ in broken):
            yield Check(provider, "ok", counted(count, "component"))


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
    """Return why a component cannot be imported; empty if it can."""
    try:
        with quiet():
            registry.config_class(entry.kind, entry.name)
            registry.component_class(entry.kind, entry.name)
    except RegistryError as error:
        return str(error) if error.__cause__ is None else reason(error.__cause__)
    return ""


def _is_own(provider: str) -> bool:
    return provider.startswith(f"{PACKAGE} ")
