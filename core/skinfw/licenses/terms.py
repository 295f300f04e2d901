"""Licenses: their names, and what they permit. Light: packaging only."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from skinfw.licenses.ledger import Commercial, best, worst

PERMITTING = frozenset(
    {
        "0BSD", "AFL-3.0", "AGPL-3.0-only", "AGPL-3.0-or-later", "Apache-2.0", "Artistic-2.0",
        "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC-BY-2.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-2.0",
        "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC0-1.0", "CDLA-Permissive-1.0", "CDLA-Permissive-2.0",
        "CDLA-Sharing-1.0", "ECL-2.0", "EPL-2.0", "EUPL-1.2", "GPL-2.0-only", "GPL-2.0-or-later",
        "GPL-3.0-only", "GPL-3.0-or-later", "HPND", "ISC", "LGPL-2.1-only", "LGPL-2.1-or-later",
        "LGPL-3.0-only", "LGPL-3.0-or-later", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "MS-PL", "NCSA",
        "ODC-By-1.0", "ODbL-1.0", "PDDL-1.0", "PostgreSQL", "PSF-2.0", "Python-2.0", "Unicode-3.0",
        "Unlicense", "WTFPL", "Zlib", "ZPL-2.1",
    }
)  # fmt: skip
"""Licenses that permit commercial use: software licenses that the Open Source Initiative approved, whose
definition (criterion 6) requires it, MIT-CMU and WTFPL, and licenses for data and works that say so."""

_FORBIDDING = re.compile(r"CC-BY-NC-|CC-BY-NC-SA-|CC-BY-NC-ND-|PolyForm-Noncommercial-")
"""How the names of licenses begin that forbid it."""

_OLD_GNU = re.compile(r"(?<![\w.-])([AL]?GPL-\d\.\d)(\+)?(?![\w.+-])")
"""Names of GNU licenses that SPDX has deprecated, with + for later versions."""


@dataclass(frozen=True)
class Terms:
    """Under which license something was published.

    Attributes:
        license: an SPDX expression; ``LicenseRef-...`` for a license without an SPDX name.
        stated: the address where its publisher says so.
        commercial: whether it may be used commercially; None: as the license says.
        note: what limits the license.
    """

    license: str
    stated: str
    commercial: Commercial | None = None
    note: str = ""

    @property
    def permits(self) -> Commercial:
        """Whether it may be used commercially."""
        return self.commercial or commercial_use(self.license)


def normalized(expression: str) -> str:
    """Return an SPDX expression in its normal form.

    Raises:
        ValueError: it is not an SPDX expression.

    Example:
        >>> normalized("apache-2.0 or licenseref-own")
        'Apache-2.0 OR LicenseRef-own'
        >>> normalized("GPL-3.0+")
        'GPL-3.0-or-later'
    """
    try:
        canonical = canonicalize_license_expression(expression)
    except InvalidLicenseExpression as error:
        raise ValueError(str(error)) from None
    return _OLD_GNU.sub(lambda old: f"{old[1]}-{'or-later' if old[2] else 'only'}", canonical)


def commercial_use(expression: str | None) -> Commercial:
    """Return whether a license permits commercial use: unknown for one that skinfw does not know.

    Args:
        expression: a normalized SPDX expression; None for an unknown license.

    Example:
        >>> commercial_use("MIT OR CC-BY-NC-4.0"), commercial_use("MIT AND CC-BY-NC-4.0")
        ('yes', 'no')
    """
    return "unknown" if expression is None else _any_of(deque(re.findall(r"[()]|[^\s()]+", expression)))


def _any_of(tokens: deque[str]) -> Commercial:
    found = [_all_of(tokens)]
    while tokens and tokens[0] == "OR":
        tokens.popleft()
        found.append(_all_of(tokens))
    return best(found)


def _all_of(tokens: deque[str]) -> Commercial:
    found = [_one(tokens)]
    while tokens and tokens[0] == "AND":
        tokens.popleft()
        found.append(_one(tokens))
    return worst(found)


def _one(tokens: deque[str]) -> Commercial:
    name = tokens.popleft()
    if name == "(":
        found = _any_of(tokens)
        tokens.popleft()
        return found
    if tokens and tokens[0] == "WITH":  # an exception only permits more
        tokens.popleft()
        tokens.popleft()
    if name in PERMITTING:
        return "yes"
    return "no" if _FORBIDDING.match(name) else "unknown"
