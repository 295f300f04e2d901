"""The command line. A command's module is imported when the command is used, so that help appears at once."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import click

from skinfw.errors import SkinfwError, UserError, message
from skinfw.system.stop_signals import stop_signals_interrupt

COMMANDS = {
    "init": ("init", "Write a spec to start with."),
    "run": ("run", "Train, evaluate and report the run that a spec describes."),
    "validate": ("validate", "Check a spec and report all its errors."),
    "list": ("list_components", "List the installed components."),
    "show": ("show", "Show one component and its parameters."),
    "new-plugin": ("new_plugin", "Write a plugin package to start from."),
    "check-plugin": ("check_plugin", "Check whether a plugin works."),
    "schema": ("schema", "Print the JSON Schema of specs."),
    "convert": ("convert", "Convert a dictionary of the report into a spec."),
    "prepare": ("prepare", "Convert photos into sample folders for training."),
    "pack": ("pack", "Pack sample folders into tar shards."),
    "doctor": ("doctor", "Find problems in a set of samples, or in the installation."),
    "inspect": ("inspect_samples", "Browse samples and exclude bad ones."),
    "benchmark-poses": ("benchmark_poses", "Benchmark pose encoders against known poses."),
    "benchmark-segmenters": ("benchmark_segmenters", "Benchmark segmenters against label maps."),
    "evaluate": ("evaluate", "Evaluate a finished run again, or on other data."),
    "compare": ("compare", "Compare the metrics of several runs."),
    "ablate": ("ablate", "Run variants of a spec and compare them."),
    "paint": ("paint", "Paint the missing skin of photos."),
    "generate": ("generate", "Inpaint samples with a trained run."),
    "repair": ("repair", "Repair the skin in results of a try-on system."),
    "audit": ("audit", "Measure how a try-on system changes skin."),
    "export-benchmark": ("export_benchmark", "Write a split's inputs and masks for other systems."),
    "export": ("export", "Export a trained network as an ONNX file."),
    "share": ("share", "Publish a run on the Hugging Face hub."),
    "serve": ("serve", "Paint photos in the browser or over HTTP."),
}
"""The module and the help line of each command."""


class Commands(click.Group):
    """The commands in `COMMANDS`; skinfw's errors are printed as plain text, without a traceback."""

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
        """Find a command; the error for an unknown one suggests the nearest name."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            from skinfw.components.strict_model import nearest

            raise click.UsageError(f"no such command {args[0]!r}{nearest(args[0], list(COMMANDS))}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a skinfw or path error becomes a message and an exit code.

        SIGTERM and a closed terminal interrupt it like Ctrl-C.
        """
        try:
            with stop_signals_interrupt():
                return super().invoke(ctx)
        except SkinfwError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(error.exit_code)
        except OSError as error:
            if error.filename is None:  # for instance a closed pipe, which click handles
                raise
            place = os.fsdecode(error.filename)
            click.echo(message(f"Error: {place}: {error.strerror}; check the path"), err=True)
            ctx.exit(UserError.exit_code)
        except KeyboardInterrupt as interrupt:
            click.echo(str(interrupt) or "Interrupted.", err=True)
            ctx.exit(130)  # 128 and SIGINT, as shells expect


@click.group(
    cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="skinfw", prog_name="skinfw", message="%(prog)s %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Inpaint the skin that the old clothes covered.

    A spec is a JSON file that names the components and how to train them. COMMAND --help explains a command.

    Exit codes: 0: success. 1: the command ran, but training diverged, a run or a check failed, or samples
    were flagged. 2: an error that you can fix. 130: interrupted.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
        return
    from skinfw.cli.messages import show_messages

    show_messages()
