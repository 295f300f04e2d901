"""``skinfw benchmark-segmenters``: how accurately and how fast segmenters find the regions."""

from __future__ import annotations

from pathlib import Path

import click

from skinfw.cli.options import ComponentOption


@click.command(name="benchmark-segmenters", short_help="Benchmark segmenters against label maps.")
@click.argument("photos", type=click.Path(path_type=Path))
@click.option(
    "--segmenter", "segmenters", multiple=True, metavar="NAME|JSON",
    help='A segmenter to measure: a name, or JSON like {"type": "NAME", ...}. May be repeated. '
    "Default: all that run here.",
)  # fmt: skip
@click.option(
    "--truth", cls=ComponentOption, kind="segmenter",
    help="The segmenter whose label maps are the ground truth.",
)  # fmt: skip
@click.option(
    "--test-fraction", type=click.FloatRange(0, 1, min_open=True),
    help="Use only the test photos of a run with this data.test_fraction; for a parser, those of its "
    "own run.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(min=1), help="Use at most this many photos, evenly chosen.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Also write all results as JSON."
)
def command(
    photos: Path,
    segmenters: tuple[str, ...],
    truth: str | None,
    test_fraction: float | None,
    limit: int | None,
    output: Path | None,
) -> None:
    """Compare segmenters with the label maps of the photos under PHOTOS.

    Shows, for each region, the intersection over union (mean over the photos, median in brackets), and
    photos per second, one at a time, and the memory of the segmenter's process.
    """
    from skinfw.cli.components import component_option

    references = [component_option("segmenter", text, "--segmenter") for text in segmenters]
    true = component_option("segmenter", truth, "--truth")

    from skinfw.assembly.build import build
    from skinfw.benchmark.photos import chosen_photos
    from skinfw.benchmark.segmenters import benchmark_segmenters, segmenters_table
    from skinfw.cli.measured import all_that_can_run, check_output, report_results
    from skinfw.interfaces import Segmenter
    from skinfw.preparation.label_shifts import warn_about_shift

    check_output(output)
    chosen = chosen_photos(photos, true, test_fraction, limit, references)
    warn_about_shift(photos, build(true, Segmenter), chosen)
    if references:
        results = benchmark_segmenters(references, true, chosen)
    else:
        results = all_that_can_run(true, lambda each: benchmark_segmenters(each, true, chosen), "--segmenter")
    title = "Intersection over union: mean (median)"
    report_results(results, segmenters_table(results), output, title=title)
