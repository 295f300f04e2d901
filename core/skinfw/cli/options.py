"""Options that several commands share. Light: click only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from skinfw.data.layouts import LAYOUTS


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


checkpoint_option = click.option(
    "--checkpoint", type=click.Choice(["best", "last"]), default="best", show_default=True,
    help="Which weights of a run to use.",
)  # fmt: skip

device_option = click.option(
    "--device", type=click.Choice(["auto", "cpu"]), default="auto", show_default=True,
    help="auto uses an accelerator if there is one.",
)  # fmt: skip


_PAINTING_OPTIONS = (
    click.option(
        "--segmenter", cls=ComponentOption, kind="segmenter",
        own="that of the model; where label maps are missing, the parser in skinfw",
        help='Finds skin, head, feet and apparel: a name, or JSON like {"type": "NAME", ...}.',
    ),
    click.option(
        "--pose-encoder", cls=ComponentOption, kind="pose_encoder", own="that of the model",
        help='Finds the pose: a name, or JSON like {"type": "NAME", ...}.',
    ),
    click.option(
        "--background", cls=ComponentOption, kind="generator", own="OpenCV's inpainting",
        help="Fills what is behind a limb: opencv_inpaint, or an inpainting network as JSON like "
        '{"type": "onnx", "path": "lama.onnx"}.',
    ),
)  # fmt: skip


def painting_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of commands that find a person in photos and paint with a trained model."""
    for option in reversed(_PAINTING_OPTIONS):
        command = option(command)
    return command


_ENGINE_OPTIONS = (
    click.option(
        "--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True,
        help="Where to run: on this machine, or on a Ray cluster whose nodes share the folders.",
    ),
    click.option(
        "--address", help="The Ray cluster. Default: the one that Ray finds, or one on this machine."
    ),
)  # fmt: skip


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of commands that work on photos on a cluster."""
    for option in reversed(_ENGINE_OPTIONS):
        command = option(command)
    return command


def check_address(engine: str, address: str | None) -> None:
    """Reject an address without a cluster.

    Raises:
        UserError: it would not be used.
    """
    from skinfw.errors import UserError

    if engine == "local" and address is not None:
        raise UserError("--address needs --engine ray; add it or drop the address")


_PAIR_OPTIONS = (
    click.option(
        "--segmenter", cls=ComponentOption, kind="segmenter",
        own="the label maps beside them; without them, the parser in skinfw",
        help="Segments photos and results.",
    ),
    click.option(
        "--parse-person", type=click.Path(path_type=Path), metavar="PATH",
        help="The photo's label map, or a folder with NAME.png for each photo.",
    ),
    click.option(
        "--parse-result", type=click.Path(path_type=Path), metavar="PATH",
        help="The result's label map, or a folder with NAME.png for each result.",
    ),
    click.option(
        "--parse-segmenter", metavar="NAME|JSON",
        help="The segmenter that reads these label maps. Default: --segmenter.",
    ),
    click.option(
        "--layout", type=click.Choice(LAYOUTS),
        default="names", show_default=True,
        help="How the results in a folder are named: as the photos, or as this system does.",
    ),
    click.option(
        "--pairs", type=click.Path(path_type=Path), metavar="CSV",
        help="The pairs instead: columns person and result, paths below the two folders.",
    ),
)  # fmt: skip


def pair_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of commands that compare photos with the results of a try-on system."""
    for option in reversed(_PAIR_OPTIONS):
        command = option(command)
    return command
