"""A fingerprint of the code that makes something, so that a cache of it ends when the code changes.

Light: the standard library only.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_SUFFIXES = (".py", ".so", ".pyd")


def code_fingerprint(classes: Iterable[type]) -> str | None:
    """Return a SHA-256 in hex of the packages that define classes and their base classes.

    The whole package counts, as any of its modules may be used. Versions would not show the changes of
    somebody who develops a package.

    Args:
        classes: the classes; packages of the standard library do not count.

    Returns:
        the hash; None if a class has no source file, as in an interactive session.
    """
    bases = {base for each in classes for base in each.__mro__}
    packages = {base.__module__.partition(".")[0] for base in bases} - sys.stdlib_module_names
    digest = hashlib.sha256()
    for package in sorted(packages):
        content = _package_hash(package)
        if content is None:
            return None
        digest.update(f"{package}\0{content}\0".encode())
    return digest.hexdigest()


@cache
def _package_hash(package: str) -> str | None:
    module = sys.modules.get(package)
    folders = [Path(each) for each in getattr(module, "__path__", ())]
    if folders:
        found = [(file.relative_to(root).as_posix(), file) for root in folders for file in root.rglob("*")]
        files = sorted(pair for pair in found if pair[1].suffix in _SUFFIXES)
    else:
        path = getattr(module, "__file__", None)
        files = [(package, Path(path))] if path else []
    digest = hashlib.sha256()
    try:
        for name, file in files:
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            digest.update(f"{name}\0{content}\0".encode("utf-8", "surrogateescape"))
    except OSError:
        return None
    return digest.hexdigest() if files else None
