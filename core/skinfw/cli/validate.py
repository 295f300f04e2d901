"""``skinfw validate``: all faults of a spec, before anything is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import click

from skinfw.overrides import parse_assignments
from skinfw.spec import Spec, load_spec


@click.command(name="validate", short_help="Check a spec and tell all its faults.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    "--set", "assignments", multiple=True, metavar="PATH=VALUE",
    help="Set one value of the spec, for instance training.epochs=2. May be repeated.",
)  # fmt: skip
@click.option("--filled", is_flag=True, help="Print the spec as JSON with every default written out.")
def command(spec: Path, assignments: tuple[str, ...], filled: bool) -> None:
    """Check SPEC, a JSON file, and tell all its faults at once.

    Nothing is trained, no data is read and torch is not loaded.
    """
    checked = load_spec(spec, parse_assignments(assignments))
    if filled:
        click.echo(json.dumps(checked.to_json(), indent=2, ensure_ascii=False))
    else:
        click.echo(f"{click.format_filename(spec)} is valid: {_in_one_line(checked)}")


def _in_one_line(spec: Spec) -> str:
    height, width = spec.data.size
    training = spec.training
    parts = [
        spec.name,
        f"generator {spec.generator.name}",
        f"discriminator {spec.discriminator.name}" if spec.discriminator else "no discriminator",
        f"losses {' + '.join(loss.name for loss in spec.losses)}",
        f"dataset {spec.data.dataset.name} at {height}x{width}",
        _count(training.epochs, "epoch") if training.epochs else _count(training.steps, "step"),
    ]
    return ", ".join(parts)


def _count(number: int | None, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
