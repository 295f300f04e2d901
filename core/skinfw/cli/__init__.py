"""The command line. A command's module is imported when the command is used, so that help comes at once."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import click

from skinfw.errors import SkinfwError, UserError, message

COMMANDS = {
    "run": ("run", "Train, measure and report what a spec describes."),
    "validate": ("validate", "Check a spec and report all its errors."),
    "list": ("list_components", "List the installed components."),
    "show": ("show", "Show one component and its parameters."),
    "schema": ("schema", "Print the JSON Schema of specs."),
    "convert": ("convert", "Turn a dictionary of the report into a spec."),
    "prepare": ("prepare", "Turn photos into sample folders to train on."),
    "doctor": ("doctor", "Look for faults in a set of samples."),
    "inspect": ("inspect_samples", "Look through samples, and exclude bad ones."),
    "benchmark-poses": ("benchmark_poses", "Measure pose encoders against known poses."),
    "benchmark-segmenters": ("benchmark_segmenters", "Measure segmenters against label maps."),
    "evaluate": ("evaluate", "Measure a finished run again."),
    "compare": ("compare", "Compare the metrics of several runs."),
    "ablate": ("ablate", "Run variants of a spec and set them side by side."),
    "generate": ("generate", "Paint skin with a trained run."),
}
"""The module in this package, and the line of help, of every command."""


class Commands(click.Group):
    """The commands of `COMMANDS`; errors of skinfw are printed as plain text, without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"skinfw.cli.{COMMANDS[cmd_name][0]}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant; the error for an unknown one suggests the nearest name."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            from skinfw.components.strict_model import nearest

            raise click.UsageError(f"no such command {args[0]!r}{nearest(args[0], list(COMMANDS))}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of skinfw or of a path becomes a message and its exit code."""
        try:
            return super().invoke(ctx)
        except SkinfwError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(error.exit_code)
        except OSError as error:
            if error.filename is None:  # a closed pipe, for instance, which click knows how to end with
                raise
            place = os.fsdecode(error.filename)
            click.echo(message(f"Error: {place}: {error.strerror}; check the path"), err=True)
            ctx.exit(UserError.exit_code)
        except KeyboardInterrupt as interrupt:
            click.echo(str(interrupt) or "Interrupted.", err=True)
            ctx.exit(130)  # 128 and SIGINT, as shells expect


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="skinfw", prog_name="skinfw", message="%(prog)s %(version)s")
def main() -> None:
    """Paint the skin that the old clothes hid.

    A spec, a JSON file, names the parts and how they are trained; COMMAND --help explains a command.

    Exit codes: 0: success. 1: the command ran, but training diverged, a run failed or samples were flagged.
    2: an error that you can fix. 130: interrupted.
    """
    from skinfw.cli.messages import show_messages

    show_messages()
