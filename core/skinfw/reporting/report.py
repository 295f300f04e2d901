"""The report of a run: one HTML file that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from skinfw.component_spec import numbered
from skinfw.environment import environment
from skinfw.evaluation.augmented import AugmentedSample
from skinfw.evaluation.examples import Example, ranking_metric
from skinfw.evaluation.results import TRAINED, Evaluation
from skinfw.jsonfile import write_text
from skinfw.reporting.cards import versions_text
from skinfw.reporting.facts import metric_cards, training_facts
from skinfw.reporting.figures import evaluation_table, figure_label, figure_text, summary
from skinfw.reporting.pages import render_page
from skinfw.reporting.pictures import ERROR_FULL, error_legend, png_uri
from skinfw.reporting.plots import draw, loss_curves, validation_curves
from skinfw.reporting.tones import FEW_NOTE, tone_tables
from skinfw.run_folder import Run
from skinfw.spec import Spec
from skinfw.training.checkpoints import Checkpoint

TEMPLATE = "template.html"

SMALL = 160
"""Pictures below this side in pixels are shown enlarged, without smoothing."""


def write_report(
    run: Run,
    checkpoint: Checkpoint,
    evaluation: Evaluation,
    examples: Sequence[Example],
    augmented: Sequence[AugmentedSample] = (),
) -> None:
    """Write a run's ``report.html``.

    Args:
        run: the run; its log gives the curves.
        checkpoint: what was measured.
        evaluation: the figures.
        examples: pictures to show.
        augmented: training samples before and after the augmentations.

    Raises:
        RunError: the file cannot be written; an older report is left as it was.
    """
    spec, log = checkpoint.spec, run.read_log()
    ranking = ranking_metric(evaluation)
    measured_with = environment(spec)
    page = render_page(
        TEMPLATE,
        name=spec.name,
        summary=summary(evaluation),
        chips=_chips(checkpoint, evaluation),
        table=evaluation_table(evaluation),
        trained=TRAINED,
        tones=tone_tables(evaluation),
        few=FEW_NOTE,
        versions=versions_text(measured_with["versions"]),
        violations=sum(evaluation.violations.values()),
        unavailable=evaluation.unavailable_by_reason(),
        examples=[_example(each, evaluation) for each in examples],
        augmented=_augmented(spec, augmented) if augmented else None,
        ranking=None if ranking is None else figure_label(ranking),
        legend={"gradient": error_legend(), "full": ERROR_FULL},
        losses=[{"curve": curve, "picture": draw(curve)} for curve in loss_curves(log)],
        validations=[{"curve": curve, "picture": draw(curve)} for curve in validation_curves(log)],
        facts=training_facts(spec, log, checkpoint.progress.step),
        cards=metric_cards(spec, evaluation),
        spec=json.dumps(spec.to_json(), indent=2, ensure_ascii=False),
        trained_with=checkpoint.about,
        measured_with=measured_with,
    )
    write_text(run.report_path, page)


def _chips(checkpoint: Checkpoint, evaluation: Evaluation) -> list[str]:
    spec = checkpoint.spec
    height, width = spec.data.size
    return [
        f"generator {spec.generator.name}",
        f"{height} by {width} pixels",
        f"inputs {', '.join(spec.data.inputs)}",
        f"composite {spec.composite}",
        f"checkpoint {checkpoint.path.stem} at step {evaluation.step:,}",
        f"{len(evaluation.names)} {evaluation.split} pictures",
    ]


def _augmented(spec: Spec, samples: Sequence[AugmentedSample]) -> dict[str, Any]:
    return {
        "augmentations": list(numbered(spec.augmentations)),
        "parts": samples[0].parts,
        "samples": [
            {"name": each.name, "rows": {stage: png_uri(row) for stage, row in each.rows.items()}}
            for each in samples
        ],
    }


def _example(example: Example, evaluation: Evaluation) -> dict[str, Any]:
    value = ""
    if example.metric is not None and example.value is not None:
        info = evaluation.metrics[example.metric]
        text = f"{figure_label(example.metric)} {figure_text(example.value, info)} {info.unit}"
        value = text.rstrip()
    outputs = dict(example.outputs)
    output = outputs.pop(TRAINED)
    pictures = {
        **example.inputs,
        "output": output,
        "target": example.target,
        "error": example.error,
        **outputs,
    }
    return {
        "rank": example.rank,
        "name": example.name,
        "value": value,
        "small": max(output.shape[:2]) < SMALL,
        "pictures": {part: png_uri(picture) for part, picture in pictures.items()},
        "kinds": {
            **dict.fromkeys(example.inputs, "input"),
            "output": "painted",
            "target": "truth",
            "error": "how far off",
            **dict.fromkeys(outputs, "baseline"),
        },
    }
