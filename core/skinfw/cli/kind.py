"""The argument KIND of the commands about components."""

from __future__ import annotations

from typing import Any

import click

from skinfw.components.kinds import KINDS
from skinfw.components.strict_model import nearest

MODEL = "model"
"""What the commands about components also know: the trained models in the package."""


_PLURALS = {f"{kind}{'es' if kind.endswith('s') else 's'}": kind for kind in (*KINDS, MODEL)}


class Kind(click.Choice[str]):
    """A kind of component or ``model``, in singular or plural; the error for an unknown one suggests one."""

    name = "kind"

    def __init__(self) -> None:
        super().__init__((*KINDS, MODEL))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the kind."""
        if value in self.choices:
            return str(value)
        if value in _PLURALS:
            return _PLURALS[value]
        word = str(value).strip().lower().replace("-", "_").replace(" ", "_")
        hint = nearest(word, list(self.choices))
        self.fail(f"unknown kind {value!r}{hint} (known: {', '.join(self.choices)})", param, ctx)
