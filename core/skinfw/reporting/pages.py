"""Pages from the templates in this folder; a page loads nothing but files next to it."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from skinfw.errors import counted

_HEAD = re.compile(r'<meta charset="utf-8">', re.IGNORECASE)
_NUMBERS = re.compile(r"[-+\d.,%e±\[\]=<p ]+")
_BETWEEN = re.compile(r" (?=±|\[|p )")
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


@cache
def _environment() -> Environment:
    """Return the environment of the templates, which keeps the compiled ones."""
    environment = Environment(
        loader=PackageLoader("skinfw", "reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["counted"] = counted
    environment.filters["unbroken_parts"] = unbroken_parts
    return environment


def unbroken_parts(text: str) -> list[str]:
    """Return the parts of a cell with a deviation or an interval, between which its line may break.

    Example:
        >>> unbroken_parts("+0.31 [+0.18, +0.44], p = 0.01"), unbroken_parts("0.31"), unbroken_parts("a b")
        (['+0.31', '[+0.18, +0.44],', 'p = 0.01'], [], [])
    """
    numbers = _NUMBERS.fullmatch(text) and any(sign in text for sign in " e")
    return _BETWEEN.split(text) if numbers else []


def render_page(template: str, **values: Any) -> str:
    """Fill a template of this package; texts are escaped, and the page's policy forbids other content."""
    page = _environment().get_template(template).render(**values)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{content_policy(page)}">'
    return _HEAD.sub(lambda found: f"{found[0]}\n{meta}", page, count=1)


def content_policy(page: str) -> str:
    """Return the content security policy of a page: its own scripts and images, and nothing from elsewhere.

    A page may be opened from the disk, where "self" is not an origin; hence the scheme file.

    Args:
        page: the HTML.
    """
    digests = [hashlib.sha256(script.encode()).digest() for script in _SCRIPT.findall(page)]
    scripts = [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
    files = ["'self'", "file:"] if "<script src=" in page else []
    parts = {
        "default-src": ["'none'"],
        "img-src": ["'self'", "file:", "data:"],
        "style-src": ["'unsafe-inline'"],
        "script-src": [*files, *scripts] or ["'none'"],
        "connect-src": ["'self'"] if files else ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }
    return "; ".join(" ".join([name, *sources]) for name, sources in parts.items())
