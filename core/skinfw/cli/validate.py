"""``skinfw validate``: all errors in a spec, before anything is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import click

from skinfw.specs.overrides import parse_assignments
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.spec import AnySpec, Spec, load_spec


@click.command(name="validate", short_help="Check a spec and report all its errors.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    "--set", "assignments", multiple=True, metavar="PATH=VALUE",
    help="Set one value of the spec, for instance training.epochs=2. May be repeated.",
)  # fmt: skip
@click.option("--filled", is_flag=True, help="Print the spec as JSON with every default written out.")
def command(spec: Path, assignments: tuple[str, ...], filled: bool) -> None:
    """Check SPEC, a JSON file, and report all its errors at once.

    Nothing is trained, no data is read and torch is not loaded.
    """
    checked = load_spec(spec, parse_assignments(assignments))
    if checked.licenses.commercial or checked.licenses.declared:
        from skinfw.hooks.caller import hook_distributions
        from skinfw.runs.ledger import require_permitted

        require_permitted(checked, str(spec), hook_distributions())
    if filled:
        click.echo(json.dumps(checked.to_json(), indent=2, ensure_ascii=False))
    else:
        click.echo(f"{click.format_filename(spec)} is valid: {in_one_line(checked)}")


def in_one_line(spec: AnySpec) -> str:
    """Return what a spec trains, in one line."""
    height, width = spec.data.size
    training = spec.training
    parts = _painting(spec) if isinstance(spec, Spec) else _segmentation(spec)
    length = _count(training.epochs, "epoch") if training.epochs else _count(training.steps, "step")
    return ", ".join([spec.name, *parts[:-1], f"{parts[-1]} at {height}x{width}", length])


def _painting(spec: Spec) -> list[str]:
    return [
        f"generator {spec.generator.name}",
        f"discriminator {spec.discriminator.name}" if spec.discriminator else "no discriminator",
        f"losses {' + '.join(loss.name for loss in spec.losses)}",
        f"dataset {spec.data.dataset.name}",
    ]


def _segmentation(spec: SegmentationSpec) -> list[str]:
    classes = spec.data.class_names
    return [
        f"segmentation network {spec.network.name}",
        "all classes" if classes is None else f"{len(classes)} classes",
        f"labels {spec.data.labels.name}",
    ]


def _count(number: int | None, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
