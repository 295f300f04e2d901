"""The argument KIND of the commands about components."""

from __future__ import annotations

from typing import Any

import click

from skinfw.components.registry import KINDS
from skinfw.components.strict_model import nearest


class Kind(click.Choice[str]):
    """A kind of component; the error for an unknown one suggests the nearest. Plurals are accepted."""

    name = "kind"

    def __init__(self) -> None:
        super().__init__(KINDS)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the kind."""
        if value in KINDS:
            return str(value)
        word = str(value).strip().lower().replace("-", "_").replace(" ", "_")
        hint = nearest(word, list(KINDS))
        self.fail(f"unknown kind {value!r}{hint} (known: {', '.join(KINDS)})", param, ctx)
