"""The argument KIND of the commands about components."""

from __future__ import annotations

from typing import Any

import click

from skinfw.components.kinds import KINDS
from skinfw.components.strict_model import nearest

MODEL = "model"
"""What the commands about components also know: the trained models in the package."""


class Kind(click.Choice[str]):
    """A kind of component, or ``model``; the error for an unknown one suggests the nearest."""

    name = "kind"

    def __init__(self) -> None:
        super().__init__((*KINDS, MODEL))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the kind."""
        if value in self.choices:
            return str(value)
        if value == f"{MODEL}s":
            return MODEL
        word = str(value).strip().lower().replace("-", "_").replace(" ", "_")
        hint = nearest(word, list(self.choices))
        self.fail(f"unknown kind {value!r}{hint} (known: {', '.join(self.choices)})", param, ctx)
