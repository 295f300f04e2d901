"""``skinfw audit``: how a try-on system changes skin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from skinfw.cli.messages import announce
from skinfw.cli.options import ComponentOption, pair_options

if TYPE_CHECKING:
    from skinfw.data.layouts import Layout


@click.command(name="audit", short_help="Measure how a try-on system changes skin.")
@click.argument("person", type=click.Path(path_type=Path))
@click.argument("result", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="PAGE", required=True,
    help="The HTML page; a JSON file of the same name is written next to it.",
)  # fmt: skip
@pair_options
@click.option(
    "--pose-encoder", cls=ComponentOption, kind="pose_encoder",
    own="the poses beside the photos; for other photos, none",
    help="Finds the poses in photos, to measure hands and sleeves; none to measure neither.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace an existing page.")
def command(
    person: Path,
    result: Path,
    output: Path,
    segmenter: str | None,
    parse_person: Path | None,
    parse_result: Path | None,
    parse_segmenter: str | None,
    layout: Layout,
    pairs: Path | None,
    pose_encoder: str | None,
    overwrite: bool,
) -> None:
    """Compare the photos in PERSON with a try-on system's results in RESULT.

    Measures how far the results change skin that they should not change: its color and typology angle by skin
    tone, hands, face, and leftover sleeves. Beside each metric stands the segmenter's own error. Needs no
    trained model. Pairs that cannot be measured, and files without a partner, are counted and named.
    """
    from skinfw.errors import UserError
    from skinfw.system.existing import reject_existing

    data = output.with_suffix(".json")
    if output.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"{output}: name the page .html; the JSON file next to it gets the same name")
    reject_existing([output, data], overwrite=overwrite, in_python=False)

    announce("loading the models")
    from skinfw.cli.components import component_option
    from skinfw.cli.pairs import make_pairing, parser_reference, with_optional_poses
    from skinfw.repair.audit_page import write_audit_page
    from skinfw.repair.auditing import audit
    from skinfw.system.bar import progress_bar
    from skinfw.system.json_file import write_json

    pose = None
    if pose_encoder != "none":
        pose = component_option("pose_encoder", pose_encoder, "--pose-encoder")
    parser = parser_reference(segmenter, pose, parse_person, parse_result, parse_segmenter).build()
    pairing = make_pairing(person, result, layout, pairs, parser)
    if pose_encoder is None:
        parser = with_optional_poses(parser, pairing)
    with progress_bar("audit") as progress:
        found = audit(pairing, parser, progress=progress)
    write_json(data, found.to_json())
    write_audit_page(found, result.resolve().name, output)
    _print_audit(len(found.pairs), len(found.failed), pairing.unmatched())
    click.echo(f"Page: {output}\nJSON: {data}")


def _print_audit(measured: int, failed: int, unmatched: str) -> None:
    from skinfw.errors import counted, printable

    click.echo(f"{counted(measured, 'pair')} measured, {failed} not measured")
    if unmatched:
        click.echo(printable(unmatched))
