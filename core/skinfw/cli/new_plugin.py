"""``skinfw new-plugin``: a plugin package to start from."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from skinfw.plugin_kit.new import SUMMARIES, new_plugin


@click.command(name="new-plugin", short_help="Write a plugin package to start from.")
@click.argument("name")
@click.option(
    "--kind", required=True, type=click.Choice(list(SUMMARIES)), help="What the plugin adds to skinfw."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FOLDER",
    help="An empty or new folder. Default: skinfw-NAME.",
)  # fmt: skip
def command(name: str, kind: str, output: Path | None) -> None:
    """Write a plugin package with a component, or a hook, called NAME.

    The package works as it is: it has a small class, its parameters, the manifest, tests, and a spec that
    trains a few steps with it on drawn people. Change the class into your own.

    The documentation explains plugins on the page "Write a plugin", docs/how-to/write-a-plugin.md.
    """
    folder = output or Path(f"skinfw-{name.replace('_', '-')}")
    plugin = new_plugin(name, kind, folder)
    click.echo(f"{folder}: a plugin with the {kind.replace('_', ' ')} {name}. Install, test and run it:")
    for line in (
        ["pip", "install", "-e", str(folder)],
        ["pytest", str(folder)],
        ["skinfw", "run", str(folder / plugin.spec)],
    ):
        click.echo(f"  {shlex.join(line)}")
