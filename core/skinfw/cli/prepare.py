"""``skinfw prepare``: photos to sample folders."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Literal

import click

from skinfw.cli.options import ComponentOption, check_address, engine_options

if TYPE_CHECKING:
    from skinfw.preparation.config import PrepareConfig
    from skinfw.preparation.report import PrepareReport, Row

logger = logging.getLogger("skinfw")

EXAMPLES = 3
"""Different texts shown for each reason; the CSV has that of every photo."""


@click.command(name="prepare", short_help="Convert photos into sample folders for training.")
@click.argument("photos", type=click.Path(path_type=Path))
@click.argument("output", type=click.Path(path_type=Path))
@click.option(
    "--segmenter", cls=ComponentOption, kind="segmenter",
    own="the label maps beside the photos; for other photos, the parser in skinfw",
    help='Finds skin, head, feet and apparel: a name, or JSON like {"type": "NAME", ...}.',
)  # fmt: skip
@click.option(
    "--pose-encoder", cls=ComponentOption, kind="pose_encoder",
    own="the poses beside the photos; without any, none",
    help='Finds the pose: a name, or JSON like {"type": "NAME", ...}; none: samples without poses.',
)  # fmt: skip
@click.option(
    "--config", "file", type=click.Path(path_type=Path), metavar="FILE.json",
    help="All settings, as under data.dataset.prepare in a spec; options override it.",
)  # fmt: skip
@click.option("--margin", type=int, help="Pixels by which to dilate the removed skin.")
@click.option("--crop", type=click.Choice(["none", "person"]), help="Crop to the person. Default: none.")
@click.option("--aspect", metavar="H:W", help="Height to width ratio of the crop. Default: 2:1.")
@click.option("--crop-margin", type=float, help="Room around the person, as a fraction of its longer side.")
@click.option(
    "--view", "views", multiple=True,
    type=click.Choice(["front", "side", "back", "full", "additional"]),
    help="View to keep; may be repeated. Default: front.",
)  # fmt: skip
@click.option(
    "--body",
    type=click.Choice(["any", "full", "upper"]),
    help="How much of the body must be visible. Default: any.",
)
@click.option("--people", type=int, help="Maximum number of people in a photo. Default: any number.")
@click.option("--min-size", type=int, help="Minimum shorter side of a photo in pixels.")
@click.option("--min-person", type=int, help="Minimum longer side of the person's box in pixels.")
@click.option("--max-cut-off", type=float, help="Maximum fraction of the person's outline on the border.")
@click.option("--min-confidence", type=float, help="Minimum confidence of the segmenter, 0 to 1.")
@click.option("--min-sharpness", type=float, help="Minimum variance of the Laplacian on the person.")
@click.option(
    "--require-class", "require_classes", multiple=True, metavar="CLASS",
    help="Class that the label map must contain; if repeated, any of them.",
)  # fmt: skip
@click.option(
    "--exclude-class", "exclude_classes", multiple=True, metavar="CLASS",
    help="Class that the label map must not contain; may be repeated.",
)  # fmt: skip
@click.option("--min-class", type=float, help="Minimum fraction of the person for a class to count.")
@click.option("--min-skin", type=float, help="Minimum fraction of the person that is skin.")
@click.option("--duplicates", type=click.Choice(["keep", "drop"]), help="Duplicate photos. Default: keep.")
@click.option("--duplicate-distance", type=int, help="Bits of 64 in which duplicates may differ. Default: 4.")
@click.option("--rate", type=float, help="Maximum requests per second to one host, for URLs. Default: 1.")
@click.option("--num-workers", type=int, help="Processes. Default: one per core.")
@click.option(
    "--on-error",
    type=click.Choice(["skip", "fail"]),
    help="Skip unusable photos, or stop at the first. Default: skip.",
)
@engine_options
def command(
    photos: Path,
    output: Path,
    segmenter: str | None,
    pose_encoder: str | None,
    file: Path | None,
    engine: Literal["local", "ray"],
    address: str | None,
    **options: Any,
) -> None:
    """Convert every photo in PHOTOS into a sample folder under OUTPUT.

    Only training that sees the pose needs poses. For photos without a label map beside them, the parser in
    skinfw finds skin, head, feet and apparel (see skinfw list models).

    PHOTOS is a folder, a .zip or .tar of one, or a list of paths and URLs (.csv, .tsv, .jsonl, .txt).
    Existing samples are kept unless photo or settings have changed. OUTPUT/rejected.csv lists the rejected
    photos and the other unused files in PHOTOS, with the reasons.
    """
    from skinfw.cli.fitting import fitting_components
    from skinfw.errors import DataError, counted, listed

    check_address(engine, address)
    config = _config(file, options)

    finds_parts, finds_pose, missing = fitting_components(photos, output, segmenter, pose_encoder)

    from skinfw.preparation.prepare import prepare
    from skinfw.preparation.report import REJECTED_FILE

    try:
        report = prepare(photos, output, finds_parts, finds_pose, config, True, engine, address, missing)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "Interrupted; finished samples are kept. Run the same command again to continue."
        ) from None
    _print_report(report)
    if not report.count("made") + report.count("kept"):
        raise DataError(f"{photos}: no photo became a sample; {output / REJECTED_FILE} says why for each")
    if report.other_samples:
        logger.warning(
            "%s: also holds %s of other photos, which the data set folder reads too: %s; remove what you do "
            "not want", output, counted(len(report.other_samples), "sample"), listed(report.other_samples),
        )  # fmt: skip


def _config(file: Path | None, options: dict[str, Any]) -> PrepareConfig:
    """Build the settings from a file and the options."""
    from pydantic import ValidationError

    from skinfw.components.validation_errors import format_errors
    from skinfw.errors import UserError
    from skinfw.preparation.config import PrepareConfig

    settings = {} if file is None else _read_config(file)
    crop = {"aspect": _aspect(options.pop("aspect")), "margin": options.pop("crop_margin")}
    crop = {name: value for name, value in crop.items() if value is not None}
    in_file = settings.get("crop")
    if options["crop"] == "person" or (options["crop"] is None and crop and isinstance(in_file, dict)):
        options["crop"] = {**(in_file if isinstance(in_file, dict) else {}), **crop}
    elif crop:
        raise UserError("--aspect and --crop-margin need --crop person")
    rate = options.pop("rate")
    if rate is not None:
        options["fetch"] = {**settings.get("fetch", {}), "rate": rate}
    given = {**settings, **{name: value for name, value in options.items() if value not in (None, ())}}
    try:
        return PrepareConfig.model_validate(given)
    except ValidationError as error:
        raise UserError("; ".join(_name_option(line) for line in format_errors(error, given))) from None


def _read_config(file: Path) -> dict[str, Any]:
    """Read the settings in a file; its errors are reported before the options are read."""
    from pydantic import ValidationError

    from skinfw.components.validation_errors import spec_error
    from skinfw.preparation.config import PrepareConfig
    from skinfw.system.json_file import read_json

    value = read_json(file)
    try:
        PrepareConfig.model_validate(value)
    except ValidationError as error:
        raise spec_error(str(file), error, value) from None
    settings: dict[str, Any] = value
    return settings


def _name_option(error: str) -> str:
    """Replace the JSON path at the start of an error by the option."""
    path, _, message = error.partition(": ")
    option = {"$.crop.aspect": "--aspect", "$.crop.margin": "--crop-margin", "$.fetch.rate": "--rate"}.get(
        path
    )
    return f"{option or path.replace('$.', '--').replace('_', '-')}: {message}"


def _aspect(text: str | None) -> float | None:
    from skinfw.errors import UserError

    if text is None:
        return None
    height, colon, width = text.partition(":")
    try:
        return float(height) / float(width if colon else 1)
    except (ValueError, ZeroDivisionError):
        raise UserError(f"--aspect {text}: give height:width, for instance 2:1 or 256:128") from None


def _print_report(report: PrepareReport) -> None:
    from collections import Counter

    from rich.console import Console
    from rich.table import Table

    from skinfw.reporting.console import shown

    console = Console()
    console.print(report.counts(), highlight=False, soft_wrap=True)
    for rows, head in ((report.rejected(), "photos"), (report.others, "other files")):
        if not rows:
            continue
        table = Table(head, "rejected because" if head == "photos" else "unused because")
        table.add_column("for instance", overflow="fold")
        for reason, count in Counter(str(row.reason) for row in rows).most_common():
            examples = _examples([row for row in rows if row.reason == reason])
            table.add_row(f"{count:,}", shown(reason), shown("\n".join(examples)))
        console.print(table)


def _examples(rows: Sequence[Row]) -> list[str]:
    """Return an example of each of the most frequent texts, with the number of similar ones."""
    alike: dict[str, list[Row]] = {}
    for row in rows:
        alike.setdefault(_without_names(row), []).append(row)
    ordered = sorted(alike.values(), key=len, reverse=True)
    lines = []
    for same in ordered[:EXAMPLES]:
        first = same[0]
        # most errors already name the file, or its label map, which has the same name
        named = first.photo.removesuffix(PurePath(first.photo).suffix) in first.detail
        more = f" ({len(same):,} like this)" if len(same) > 1 and len(ordered) > 1 else ""
        lines.append(f"{'' if named else f'{first.photo}: '}{first.detail}{more}")
    return lines


def _without_names(row: Row) -> str:
    """Return why a photo was rejected, without name, paths and numbers, which differ for every photo."""
    text = row.detail
    for name in (row.photo, PurePath(row.photo).name, PurePath(row.photo).stem):
        text = text.replace(name, "") if name else text
    return re.sub(r"\d+", "0", re.sub(r"\S*[/\\]\S*", "", text))
