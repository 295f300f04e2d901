"""``skinfw check-plugin``: whether a plugin works."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from skinfw.errors import message
from skinfw.plugin_kit.check import check_plugin
from skinfw.plugin_kit.find import find_plugin
from skinfw.plugin_kit.result import MEANINGS, Result


@click.command(name="check-plugin", short_help="Check whether a plugin works.")
@click.argument("plugin", metavar="PATH|NAME")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--steps", type=click.IntRange(min=0), default=10, show_default=True,
    help="Training steps with the plugin's spec.json; 0 for none.",
)  # fmt: skip
def command(plugin: str, as_json: bool, steps: int) -> None:
    """Check the plugin in the folder PATH, or the installed plugin NAME.

    Each check passes, fails, or is skipped with the reason. A plugin in a folder need not be installed.
    The exit code is 0 if nothing failed, 1 if a check failed, 2 if the plugin cannot be found.

    The documentation explains the checks on the page "Write a plugin", docs/how-to/write-a-plugin.md.
    """
    found = find_plugin(plugin)
    results = []
    for result in check_plugin(found, steps):
        results.append(result)
        if not as_json:
            click.echo(_line(result))
    counts = {
        status: sum(result.status == status for result in results)
        for status in ("passed", "failed", "skipped")
    }
    if as_json:
        checks = [{**asdict(result), "meaning": MEANINGS[result.check]} for result in results]
        values = {"plugin": found.name, "version": found.version, **counts, "checks": checks}
        click.echo(json.dumps(values, indent=2, ensure_ascii=False))
    else:
        click.echo(f"{found}: " + ", ".join(f"{count} {status}" for status, count in counts.items()))
    if counts["failed"]:
        raise SystemExit(1)


def _line(result: Result) -> str:
    text = f"{result.status:<8}{result.check}: {result.subject}"
    return message(f"{text}: {result.reason}" if result.reason else text)
