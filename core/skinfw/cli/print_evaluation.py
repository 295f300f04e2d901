"""The results of an evaluation on the terminal; ``evaluate`` and the end of ``run`` print them."""

from __future__ import annotations

import click

from skinfw.evaluation.metric_metadata import metadata_lines, versions_text
from skinfw.evaluation.metric_tables import evaluation_table, masks_note
from skinfw.evaluation.results import Evaluation
from skinfw.evaluation.summary import summary
from skinfw.reporting.console import print_table
from skinfw.reporting.tones import FEW, FEW_NOTE, short_tone_table
from skinfw.runs.environment import versions


def print_evaluation(evaluation: Evaluation) -> None:
    """Print the metrics, how they were computed, those by skin tone, and a summary."""
    print_table(evaluation_table(evaluation))
    if evaluation.task == "inpainting":
        click.echo("How each value was measured:")
        for line in metadata_lines({evaluation.split: evaluation}):
            click.echo(f"  {line}")
    click.echo(f"Measured with {versions_text(versions())}")
    tones = short_tone_table(evaluation)
    if tones is not None:
        best = "the best of its skin tone, however small its lead"
        print_table(tones, title="By class of the individual typology angle", best=best)
        if any(FEW in cell.text for _, cells in tones.rows for cell in cells):
            click.echo(FEW_NOTE)
        click.echo("The report has the other metrics, the intervals and the Monk skin tones.")
    click.echo(summary(evaluation))
    if masks_note(evaluation):
        click.echo(masks_note(evaluation))
    for why, what in evaluation.unavailable_by_reason().items():
        click.echo(f"Without a value: {', '.join(what)}: {why}")
