"""The results of an evaluation on the terminal; ``evaluate`` and the end of ``run`` print them."""

from __future__ import annotations

import click

from skinfw.evaluation.metric_metadata import metadata_table, versions_text
from skinfw.evaluation.metric_tables import evaluation_table, summary
from skinfw.evaluation.results import Evaluation
from skinfw.evaluation.tone_groups import metrics_on_skin
from skinfw.reporting.console import print_table
from skinfw.reporting.tones import FEW_NOTE, TITLES, tone_table
from skinfw.runs.environment import versions


def print_evaluation(evaluation: Evaluation) -> None:
    """Print the metrics, how they were computed, those by skin tone, and a summary."""
    print_table(evaluation_table(evaluation))
    if evaluation.task == "inpainting":
        print_table(metadata_table({evaluation.split: evaluation}), title="How each value was measured")
    click.echo(f"Measured with {versions_text(versions())}")
    if metrics_on_skin(evaluation):
        print_table(tone_table(evaluation, "ita"), title=TITLES["ita"], best="the best of its skin tone")
        click.echo(FEW_NOTE)
    click.echo(summary(evaluation))
    for why, what in evaluation.unavailable_by_reason().items():
        click.echo(f"Without a value: {', '.join(what)}: {why}")
