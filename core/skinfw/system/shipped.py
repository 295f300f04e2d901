"""Files of the checkout that are also in the wheel. Light: the standard library only."""

from __future__ import annotations

from pathlib import Path

from skinfw.errors import UserError


def shipped_file(name: str) -> Path:
    """Return the path of a file of skinfw: next to the package in a wheel, at the root of a checkout.

    Args:
        name: its path below the root, with forward slashes.

    Raises:
        UserError: it is missing.
    """
    package = Path(__file__).resolve().parents[1]
    for candidate in (package / name, package.parents[1] / name):
        if candidate.is_file():
            return candidate
    raise UserError(f"{name} is missing next to {package}; reinstall skinfw")
