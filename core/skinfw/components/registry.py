"""The registry: which components exist, who provides them, and how to import them.

This reads manifests only. A component's configuration is imported when a spec names it, its class when
it is built.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, cast

from skinfw.components.config import ComponentConfig, InputConfig
from skinfw.components.field_names import BODY, IMAGE, KEEP, KEYPOINTS, LABELS
from skinfw.components.kinds import CONFIGS, KINDS
from skinfw.components.manifest import (
    MANIFEST,
    Entry,
    NewerInterfaceError,
    manifest_text,
    package_manifest,
    read_manifest,
)
from skinfw.components.measured_region import WHOLE
from skinfw.components.strict_model import nearest
from skinfw.errors import RegistryError, message
from skinfw.system.shipped import shipped_file

TRAINED = "trained"
"""What reports call the trained network, next to the baselines."""

ALPHA = "alpha"
"""What reports call the skin that a generator with alpha finds."""

RESERVED = (TRAINED, ALPHA, "output", "target", "error")
"""Names that generators and inputs may not have, nor may a generator have an input's name: reports show them
side by side."""

_FIELDS = (BODY, KEEP, KEYPOINTS, IMAGE, LABELS, WHOLE, "skin")
"""Names that inputs may not have: fields that every sample has, and regions."""

_SHOWN_TOGETHER = {"generator": "input", "input": "generator"}

ENTRY_POINT_GROUP = "skinfw.registries"
logger = logging.getLogger("skinfw")


@dataclass(frozen=True)
class Problem:
    """A manifest or plugin that was skipped.

    Attributes:
        provider: the distribution or file that provides it.
        reason: why.
        remedy: what to do; empty if only its authors know.
    """

    provider: str
    reason: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.provider}: {self.reason}" + (f"; {self.remedy}" if self.remedy else "")


class NameClashError(ValueError):
    """Two distributions have a component of the same name.

    Args:
        text: says which ones.
        provider: the one that had the name first.
    """

    def __init__(self, text: str, provider: str) -> None:
        super().__init__(f"{text} {provider}")
        self.built_in = provider == _own_provider()


def _own_provider() -> str:
    """Return the provider of the built-in components."""
    return f"skinfw {metadata.version('skinfw')}"


def _import(entry: Entry, target: str) -> Any:
    module_name, _, attribute = target.partition(":")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except (Exception, SystemExit) as error:  # any failure counts, including a RuntimeError from torch
        distribution = re.fullmatch(r"([\w.-]+) \S+", entry.provider)
        package = f"{distribution[1]}[{entry.extra}]" if distribution else entry.extra
        root, hint = module_name.partition(".")[0], ""
        if entry.extra:
            hint = f"; it needs: pip install '{package}'"
        elif isinstance(error, ModuleNotFoundError) and error.name == root:
            hint = f"; install the package of {root}, or name its folder in PYTHONPATH"
        raise RegistryError(
            f"{entry.kind} '{entry.name}' of {entry.provider} cannot be imported from {target}: "
            f"{type(error).__name__}: {error}{hint}"
        ) from error


@dataclass
class Registry:
    """All components found, and the manifests that had to be skipped."""

    entries: dict[tuple[str, str], Entry] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add_manifest(self, text: str, provider: str) -> None:
        """Add all components of one manifest, or none of them and a problem.

        Args:
            text: the manifest as TOML.
            provider: the distribution (or file) that provides it, for messages.
        """
        try:
            new = read_manifest(text, provider)
            self.reject_clashes(new)
        except NewerInterfaceError as error:
            self.problems.append(Problem(provider, str(error)))
        except NameClashError as error:
            remedy = f"rename it in the manifest of {provider}"
            if not error.built_in:
                remedy += ", or uninstall one of the two"
            self.problems.append(Problem(provider, f"not loaded: {error}", remedy))
        except ValueError as error:
            self.problems.append(Problem(provider, f"broken manifest: {message(str(error))}"))
        else:
            self.entries.update({(entry.kind, entry.name): entry for entry in new})

    def reject_clashes(self, new: Sequence[Entry]) -> None:
        """Reject the components of a manifest if one has a name that it may not have.

        Raises:
            NameClashError: another distribution has the name; the message names both.
            ValueError: a kind is unknown, or a name is reserved; the message names the component.
        """
        seen: set[tuple[str, str]] = set()
        for entry in new:
            key = (entry.kind, entry.name)
            if entry.kind not in KINDS:
                raise ValueError(
                    f"unknown kind {entry.kind!r}{nearest(entry.kind, list(KINDS))} "
                    f"(known: {', '.join(KINDS)})"
                )
            if entry.kind == "input" and entry.name in _FIELDS:
                raise ValueError(f"input '{entry.name}': the name is reserved; give it another")
            if entry.kind in _SHOWN_TOGETHER and entry.name in RESERVED:
                raise ValueError(f"{entry.kind} '{entry.name}': the name is reserved; give it another")
            other = _SHOWN_TOGETHER.get(entry.kind)
            if other is not None and (other, entry.name) in seen:
                raise ValueError(f"an input and a generator are both named '{entry.name}'; rename one")
            if other is not None and (other, entry.name) in self.entries:
                provider = self.entries[other, entry.name].provider
                text = f"{entry.kind} '{entry.name}': the name of the {other} of"
                raise NameClashError(text, provider)
            if key in seen:
                raise ValueError(f"{entry.kind} '{entry.name}' is declared twice")
            if key in self.entries:
                provider = self.entries[key].provider
                raise NameClashError(f"{entry.kind} '{entry.name}' already comes from", provider)
            if self.entries and entry.default_for:
                # otherwise installing a package would change the meaning of existing specs
                raise ValueError(f"{entry.kind} '{entry.name}': default_for is for built-in components only")
            seen.add(key)

    def names(self, kind: str) -> list[str]:
        """Return the names of all components of a kind, sorted."""
        return sorted(name for known, name in self.entries if known == kind)

    def defaults(self, spec_field: str) -> list[str]:
        """Return the default components of ``spec_field`` by name, in manifest order."""
        return [entry.name for entry in self.entries.values() if entry.default_for == spec_field]

    def entry(self, kind: str, name: str) -> Entry:
        """Return one entry.

        Raises:
            RegistryError: unknown kind or name; the error suggests the nearest one.
        """
        found = self.entries.get((kind, name))
        if found is not None:
            return found
        if kind not in KINDS:
            known = list(KINDS)
            raise RegistryError(f"unknown kind '{kind}'{nearest(kind, known)} (known: {', '.join(known)})")
        known = self.names(kind)
        raise RegistryError(
            f"unknown {kind} '{name}'{nearest(name, known)} (installed: {', '.join(known) or 'none'})"
        )

    def config_class(self, kind: str, name: str) -> type[ComponentConfig]:
        """Import and return the configuration class of a component (light: no torch).

        Raises:
            RegistryError: it is unknown, cannot be imported, or is not a configuration of this kind.
        """
        entry = self.entry(kind, name)
        found = _import(entry, entry.config)
        base = CONFIGS[kind]
        if not (isinstance(found, type) and issubclass(found, base)):
            raise RegistryError(
                f"{kind} '{name}' of {entry.provider}: {entry.config} is not a subclass of {base.__name__}; "
                f"derive it from skinfw.components.config.{base.__name__}"
            )
        return found

    def is_mask(self, name: str) -> bool:
        """Return whether an input is a mask.

        Raises:
            RegistryError: no input has that name, or it cannot be imported.
        """
        config = self.config_class("input", name)
        return issubclass(config, InputConfig) and config.is_mask

    def component_class(self, kind: str, name: str) -> type[Any]:
        """Import and return the class of a component."""
        entry = self.entry(kind, name)
        return cast(type[Any], _import(entry, entry.target))


def distribution_key(name: str) -> str:
    """Return the form of a distribution's name in which two spellings of it are equal.

    Example:
        >>> distribution_key("Skinfw_Edge")
        'skinfw-edge'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def load_registry(without: str = "") -> Registry:
    """Read the built-in manifest, then those of plugins and of ``SKINFW_REGISTRIES``.

    ``SKINFW_NO_PLUGINS=1`` skips everything but the built-in manifest.

    Args:
        without: the name of a distribution to skip, as `distribution_key` returns it.
    """
    registry = Registry()
    registry.add_manifest(shipped_file(MANIFEST).read_text(encoding="utf-8"), _own_provider())
    if os.environ.get("SKINFW_NO_PLUGINS") == "1":
        return registry
    for point in metadata.entry_points(group=ENTRY_POINT_GROUP):
        if point.dist and distribution_key(point.dist.name) == without:
            continue
        provider = f"{point.dist.name} {point.dist.version}" if point.dist else point.name
        try:
            text = manifest_text(package_manifest(point))
        except (Exception, SystemExit) as error:  # a broken distribution must not affect the others
            registry.problems.append(Problem(provider, f"broken plugin: {error}"))
        else:
            registry.add_manifest(text, provider)
    for name in filter(None, os.environ.get("SKINFW_REGISTRIES", "").split(os.pathsep)):
        try:
            text = manifest_text(Path(name))
        except (OSError, UnicodeDecodeError) as error:
            registry.problems.append(Problem(name, f"SKINFW_REGISTRIES: unreadable: {error}"))
        else:
            registry.add_manifest(text, name)
    return registry


@cache
def installed() -> Registry:
    """Return the registry of this process, read once; skipped manifests and plugins are logged."""
    registry = load_registry()
    for problem in registry.problems:
        logger.warning("%s", problem)
    return registry
