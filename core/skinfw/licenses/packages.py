"""The license of an installed package, from its metadata. Light: packaging only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any

from skinfw.licenses.ledger import LedgerRow
from skinfw.licenses.terms import Terms, normalized

_OSI = "License :: OSI Approved :: "

_NAMES = {
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "mit license": "MIT",
}
"""SPDX names of what packages write in the old field ``License``, as far as it names one license."""

_FILES = {
    "torchvision": Terms("BSD-3-Clause", "https://github.com/pytorch/vision/blob/main/LICENSE"),
    "lpips": Terms("BSD-2-Clause", "https://github.com/richzhang/PerceptualSimilarity/blob/master/LICENSE"),
}
"""Libraries of skinfw whose metadata do not say which BSD license their file LICENSE is."""

_HOME = ("source", "source code", "repository", "homepage", "home")
"""Labels of a project's address, best first."""


@cache
def package_row(name: str) -> LedgerRow:
    """Return the ledger's row of a distribution.

    Args:
        name: its name; one that is not installed, such as a manifest file, has an unknown license.
    """
    try:
        found = metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):
        return LedgerRow(kind="code", name=name, license=None, commercial="unknown", note="not a package")
    about = found.metadata.json
    terms = _terms(name, about)
    return LedgerRow(
        kind="code",
        name=name,
        license=None if terms is None else terms.license,
        commercial="unknown" if terms is None else terms.permits,
        address=_address(about),
        revision=found.version,
        sha256=_sha256(found),
        stated="" if terms is None else terms.stated,
        note="its metadata does not name a license" if terms is None else terms.note,
    )


def _terms(name: str, about: Mapping[str, Any]) -> Terms | None:
    """Return what a package's metadata says; None if it does not name a license."""
    expression = about.get("license_expression")
    text = (about.get("license") or "").strip()
    stated = "the package's metadata"
    for written in filter(None, (expression, _NAMES.get(text.lower()), text)):
        try:
            return Terms(normalized(written), stated)
        except ValueError:
            continue
    if name in _FILES:
        return _FILES[name]
    approved = [each.removeprefix(_OSI) for each in about.get("classifier") or [] if each.startswith(_OSI)]
    if len(approved) == 1:
        # the classifier does not say which version, but each that it can mean is approved, so it permits it
        reference = "-".join(filter(str.isalnum, approved[0].replace("-", " ").split()))
        return Terms(f"LicenseRef-{reference}", stated, "yes", f"classifier: {approved[0]}, OSI approved")
    return None


def _address(about: Mapping[str, Any]) -> str:
    urls = [each.partition(",") for each in about.get("project_url") or []]
    by_label = {label.strip().lower(): url.strip() for label, _, url in urls}
    known = (by_label[label] for label in _HOME if label in by_label)
    return next(known, about.get("home_page") or "")


def _sha256(found: metadata.Distribution) -> str:
    """Return a hash of the hashes in a package's record of files; empty if it has none, as in development."""
    hashes = sorted(
        f"{file.as_posix()} {file.hash.value}"
        for file in found.files or ()
        if file.hash is not None
        and not file.parts[0].endswith((".dist-info", ".."))
        and file.suffix != ".pth"
    )
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest() if hashes else ""
