"""The checks of a plugin that import its classes: their kind, their contract, hooks, and the spec."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import metadata
from typing import Any

from skinfw.components.config import ComponentConfig
from skinfw.components.manifest import Entry
from skinfw.components.reference import ComponentSpec
from skinfw.components.registry import installed
from skinfw.errors import SkinfwError
from skinfw.hooks.caller import ENTRY_POINT_GROUP as HOOK_GROUP
from skinfw.plugin_kit.contract import NotCheckableError, run_contract
from skinfw.plugin_kit.find import points_of, spec_of
from skinfw.plugin_kit.result import Result
from skinfw.runs.environment import components_of
from skinfw.specs.spec import AnySpec, load_spec
from skinfw.testing import check_component, check_hooks


def full_checks(name: str) -> Iterator[Result]:
    """Check the classes, hooks and spec of an installed plugin.

    Args:
        name: the name of its distribution.
    """
    distribution = metadata.distribution(name)
    provider = f"{distribution.name} {distribution.version}"
    entries = [entry for entry in installed().entries.values() if entry.provider == provider]
    path = spec_of(distribution)
    spec, found = None, Result("spec", "spec.json", "skipped", "the package has no spec.json")
    if path is not None:
        try:
            spec = load_spec(path)
        except (Exception, SystemExit) as error:  # a configuration of the plugin may raise anything
            found = Result("spec", str(path), "failed", _text(error))
        else:
            found = _use(spec, str(path), entries)
    for entry in entries:
        yield from _component(entry, spec)
    for point in points_of(distribution, HOOK_GROUP):
        yield _hooks(point)
    yield found


def _use(spec: AnySpec, path: str, entries: Sequence[Entry]) -> Result:
    used = {(each.kind, each.name) for each in components_of(spec)}
    unused = [f"{entry.kind} {entry.name}" for entry in entries if (entry.kind, entry.name) not in used]
    if entries and len(unused) == len(entries):
        return Result("spec", path, "failed", f"it does not use {', '.join(unused)}")
    return Result("spec", path, "passed")


def _component(entry: Entry, spec: AnySpec | None) -> Iterator[Result]:
    subject = f"{entry.kind} {entry.name}"
    try:
        check_component(installed(), entry.kind, entry.name)
    except (Exception, SystemExit) as error:
        yield Result("class", subject, "failed", _text(error))
        yield Result("contract", subject, "skipped", "its class cannot be used")
        return
    yield Result("class", subject, "passed")
    yield _contract(entry, spec)


def _contract(entry: Entry, spec: AnySpec | None) -> Result:
    subject = f"{entry.kind} {entry.name}"
    shown = [each for each in components_of(spec) if (each.kind, each.name) == (entry.kind, entry.name)]
    try:
        run_contract(
            entry.kind, installed().component_class(entry.kind, entry.name), _config(entry, shown), spec
        )
    except NotCheckableError as error:
        return Result("contract", subject, "skipped", str(error))
    except SkinfwError as error:
        # the parameters in the plugin's spec are all that a component needs
        return Result("contract", subject, "failed" if shown else "skipped", str(error))
    except (Exception, SystemExit) as error:
        return Result("contract", subject, "failed", _text(error))
    return Result("contract", subject, "passed")


def _config(entry: Entry, shown: Sequence[ComponentSpec]) -> ComponentConfig:
    """Return the configuration in the plugin's spec, otherwise the defaults."""
    if shown:
        return shown[0].config
    config = installed().config_class(entry.kind, entry.name)
    required = [name for name, field in config.model_fields.items() if field.is_required()]
    if required:
        raise NotCheckableError(
            f"{', '.join(required)} must be set, and the plugin's spec.json does not use the component"
        )
    return config()


def _hooks(point: metadata.EntryPoint) -> Result:
    try:
        plugin: Any = point.load()
        check_hooks(plugin)
    except (Exception, SystemExit) as error:
        return Result("hooks", point.value, "failed", _text(error))
    return Result("hooks", point.value, "passed")


def _text(error: BaseException) -> str:
    known = isinstance(error, AssertionError | SkinfwError) and str(error)
    return str(error) if known else f"{type(error).__name__}: {error}"
