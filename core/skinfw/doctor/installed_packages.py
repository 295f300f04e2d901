"""Checks of Python and of the packages that skinfw needs."""

from __future__ import annotations

import importlib
import platform
from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib import metadata

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from skinfw.doctor.installation import Check, reason
from skinfw.errors import counted, listed
from skinfw.system.quiet import quiet

PACKAGE = "skinfw"
FOR_DEVELOPERS = ("dev", "docs")
"""Extras that users do not need."""


def python_checks() -> Iterator[Check]:
    """Check the versions of Python and skinfw."""
    found, wanted = platform.python_version(), metadata.metadata(PACKAGE)["Requires-Python"]
    fits = SpecifierSet(wanted or "").contains(found, prereleases=True)
    yield Check(
        "Python",
        "ok" if fits else "error",
        f"{found}, {platform.platform()}",
        "" if fits else f"install Python {wanted}",
    )
    yield Check(PACKAGE, "ok", metadata.version(PACKAGE))


def package_checks() -> Iterator[Check]:
    """Check the required packages: installed, of a fitting version, importable."""
    needed = requirements()[""]
    modules = _modules()
    good = 0
    for each in needed:
        wrong = version_error(each) or _import_error(modules.get(canonicalize_name(each.name), each.name))
        if wrong:
            yield Check(each.name, "error", wrong, f"pip install --force-reinstall '{plain(each)}'")
        good += not wrong
        if each.name == "torch" and not wrong:
            yield Check("torch", "ok", metadata.version("torch"))
    yield Check("packages", "ok", f"{good} of {counted(len(needed), 'required package')} work")


def extra_checks() -> Iterator[Check]:
    """Check the optional packages, by extra."""
    for extra, needed in requirements().items():
        if extra in ("", *FOR_DEVELOPERS):
            continue
        command = f"pip install '{PACKAGE}[{extra}]'"
        errors = [f"{each.name} {error}" for each in needed if (error := version_error(each))]
        if not errors:
            found = [f"{each.name} {metadata.version(each.name)}" for each in needed]
            yield Check(f"extra {extra}", "ok", listed(found))
        else:
            yield Check(f"extra {extra}", "absent", listed(errors), command)


def requirements() -> dict[str, list[Requirement]]:
    """Return the packages that skinfw requires on this machine, by extra; "" are those always required."""
    found: dict[str, list[Requirement]] = defaultdict(list)
    extras = metadata.metadata(PACKAGE).get_all("Provides-Extra") or []
    for text in metadata.requires(PACKAGE) or []:
        each = Requirement(text)
        if each.marker is None or each.marker.evaluate({"extra": ""}):
            found[""].append(each)
            continue
        for extra in extras:
            if each.marker.evaluate({"extra": extra}):
                found[extra].append(each)
    return found


def missing_extra(extra: str) -> bool:
    """Return whether a package of an extra of skinfw is missing."""
    return any(version_error(each) for each in requirements().get(extra, ()))


def plain(requirement: Requirement) -> str:
    """Return a requirement as pip takes it, without its marker."""
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras}{requirement.specifier}"


def version_error(requirement: Requirement) -> str:
    """Return what is wrong with the version of a package; empty if nothing."""
    try:
        found = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return "is not installed"
    if requirement.specifier.contains(found, prereleases=True):
        return ""
    return f"is {found}, but {requirement.specifier} is needed"


def _import_error(module: str) -> str:
    """Return why a module cannot be imported; empty if it can."""
    try:
        with quiet():
            importlib.import_module(module)
    except (Exception, SystemExit) as error:  # a damaged package may raise anything
        return f"cannot be imported: {reason(error)}"
    return ""


def _modules() -> dict[str, str]:
    """Return the module to import for each installed package, by the package's normalized name."""
    names: dict[str, list[str]] = defaultdict(list)
    for module, packages in metadata.packages_distributions().items():
        for package in packages:
            names[canonicalize_name(package)].append(module)
    return {package: _main_module(package, modules) for package, modules in names.items()}


def _main_module(package: str, modules: Sequence[str]) -> str:
    public = sorted(each for each in modules if not each.startswith("_")) or list(modules)
    same = [each for each in public if canonicalize_name(each) == package]
    return (same or public)[0]
