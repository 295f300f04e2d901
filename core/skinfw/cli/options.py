"""Options that several commands share. Light: click only."""

from __future__ import annotations

from typing import Any

import click


class ComponentOption(click.Option):
    """An option that takes a component; its help names the default.

    Args:
        kind: the interface that the component implements, as in ``component_option``.
        own: what is used without the option; empty for the default component of the kind.
    """

    def __init__(self, *args: Any, kind: str, own: str = "", **attributes: Any) -> None:
        super().__init__(*args, metavar="NAME|JSON", **attributes)
        self.kind, self.own = kind, own

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and its help, with the default from the installed manifests."""
        from skinfw.components.registry import installed

        record = super().get_help_record(ctx)
        defaults = installed().defaults(self.kind)
        default = self.own or next(iter(defaults), "")
        if record is None or not default:
            return record
        return record[0], f"{record[1]} Default: {default}."


trust_option = click.option(
    "--trust",
    is_flag=True,
    help="Allow the programs, paths and addresses in the spec of a run that you did not train here.",
)
"""For commands that use runs that somebody else may have trained."""
