"""``skinfw benchmark-poses``: how well and how fast pose encoders find the points of a body."""

from __future__ import annotations

from pathlib import Path

import click

from skinfw.cli.options import ComponentOption


@click.command(name="benchmark-poses", short_help="Measure pose encoders against known poses.")
@click.argument("photos", type=click.Path(path_type=Path))
@click.option(
    "--encoder", "encoders", multiple=True, metavar="NAME|JSON",
    help='A pose encoder to measure: a name, or JSON like {"type": "NAME", ...}. May be repeated. '
    "Default: all that can run here.",
)  # fmt: skip
@click.option(
    "--truth", cls=ComponentOption, kind="pose_encoder",
    help="The pose encoder whose poses are taken for true.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(min=1), help="Measure at most so many photos, evenly chosen.")
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="Also write all figures as JSON."
)
def command(
    photos: Path, encoders: tuple[str, ...], truth: str | None, limit: int | None, output: Path | None
) -> None:
    """Compare pose encoders with the poses of the photos under PHOTOS.

    PCK@0.1 is the fraction of points that lie within a tenth of the torso's length (neck to mid-hip) of the
    true ones; found is the fraction that was found anywhere; nobody counts photos in which nobody was found.
    Speed is that of one photo at a time, memory that of the encoder's process.
    """
    from skinfw.cli.components import component_option

    references = [component_option("pose_encoder", text, "--encoder") for text in encoders]
    true = component_option("pose_encoder", truth, "--truth")

    from skinfw.benchmark.photos import chosen_photos
    from skinfw.benchmark.poses import benchmark_poses, poses_table
    from skinfw.cli.measured import all_that_can_run, check_output, tell_figures
    from skinfw.components.reference import use_default
    from skinfw.reporting.console import print_table

    check_output(output)
    # the label maps of the usual segmenter are not photos
    chosen = chosen_photos(photos, use_default("segmenter"), limit=limit)
    if references:
        figures = benchmark_poses(references, true, chosen)
    else:
        figures = all_that_can_run(true, lambda each: benchmark_poses(each, true, chosen), "--encoder")
    print_table(poses_table(figures))
    tell_figures(figures, output)
