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
    somebody who develops a package. Other packages that it imports do not count, and neither do the files
    that it reads.

    Args:
        classes: the classes; packages of the standard library do not count.

    Returns:
        the hash; None if a class is not in a package: a script or a module of one file may import others
        beside it, and an interactive session has no file.
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
    folders = [Path(each) for each in getattr(sys.modules.get(package), "__path__", ())]
    found = [(file.relative_to(root).as_posix(), file) for root in folders for file in root.rglob("*")]
    files = sorted(pair for pair in found if pair[1].suffix in _SUFFIXES)
    digest = hashlib.sha256()
    try:
        for name, file in files:
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            digest.update(f"{name}\0{content}\0".encode("utf-8", "surrogateescape"))
    except OSError:
        return None
    return digest.hexdigest() if files else None
