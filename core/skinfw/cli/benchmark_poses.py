"""``skinfw benchmark-poses``: how accurately and how fast pose encoders find keypoints."""

from __future__ import annotations

from pathlib import Path

import click

from skinfw.cli.options import ComponentOption


@click.command(name="benchmark-poses", short_help="Benchmark pose encoders against known poses.")
@click.argument("photos", type=click.Path(path_type=Path))
@click.option(
    "--encoder", "encoders", multiple=True, metavar="NAME|JSON",
    help='A pose encoder to measure: a name, or JSON like {"type": "NAME", ...}. May be repeated. '
    "Default: all that run here.",
)  # fmt: skip
@click.option(
    "--truth", cls=ComponentOption, kind="pose_encoder",
    help="The pose encoder whose poses are the ground truth.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(min=1), help="Use at most this many photos, evenly chosen.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Also write all results as JSON."
)
def command(
    photos: Path, encoders: tuple[str, ...], truth: str | None, limit: int | None, output: Path | None
) -> None:
    """Compare pose encoders with the known poses of the photos under PHOTOS.

    PCK@0.1 is the fraction of keypoints within a tenth of the torso length (neck to mid-hip) of the true
    ones; found is the fraction found anywhere; nobody counts the photos in which no person was found.
    Speed is measured with one photo at a time, memory is that of the encoder's process.
    """
    from skinfw.cli.components import component_option

    references = [component_option("pose_encoder", text, "--encoder") for text in encoders]
    true = component_option("pose_encoder", truth, "--truth")

    from skinfw.benchmark.photos import chosen_photos
    from skinfw.benchmark.poses import benchmark_poses, poses_table
    from skinfw.cli.measured import all_that_can_run, check_output, report_results
    from skinfw.components.reference import use_default

    check_output(output)
    # the label maps of the usual segmenter are not photos
    chosen = chosen_photos(photos, use_default("segmenter"), limit=limit)
    if references:
        results = benchmark_poses(references, true, chosen)
    else:
        results = all_that_can_run(true, lambda each: benchmark_poses(each, true, chosen), "--encoder")
    report_results(results, poses_table(results), output)
