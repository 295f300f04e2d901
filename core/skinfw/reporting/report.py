"""The report of a run: one self-contained HTML file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from skinfw.components.reference import numbered
from skinfw.components.registry import TRAINED
from skinfw.errors import counted
from skinfw.evaluation.augmented import AugmentedSample
from skinfw.evaluation.error_map import ERROR_FULL, error_legend
from skinfw.evaluation.examples import Example, Shown, ranking_metric
from skinfw.evaluation.metric_metadata import versions_text
from skinfw.evaluation.metric_tables import (
    evaluation_table,
    measured_images,
    summary,
    value_label,
    value_text,
)
from skinfw.evaluation.results import Evaluation
from skinfw.evaluation.tone_groups import MONK_SHADES
from skinfw.reporting.data_uri import png_uri
from skinfw.reporting.facts import metric_cards, training_facts
from skinfw.reporting.pages import render_page
from skinfw.reporting.plots import draw, loss_curves, validation_curves
from skinfw.reporting.tones import FEW_NOTE, tone_tables
from skinfw.runs.checkpoints import Checkpoint
from skinfw.runs.environment import environment
from skinfw.runs.folder import Run
from skinfw.specs.spec import Spec, inpainting_spec
from skinfw.system.json_file import write_text

TEMPLATE = "report.html"

SMALL = 160
"""Images below this side in pixels are shown enlarged, without smoothing."""


def write_report(
    run: Run,
    checkpoint: Checkpoint,
    evaluation: Evaluation,
    examples: Sequence[Example],
    augmented: Sequence[AugmentedSample] = (),
    *,
    path: Path | None = None,
    warning: str = "",
) -> None:
    """Write a run's ``report.html``.

    Args:
        run: the run, whose log provides the curves.
        checkpoint: the evaluated checkpoint.
        evaluation: the results.
        examples: images to show.
        augmented: training samples before and after the augmentations.
        path: the file; None for the run's own report.
        warning: what limits the results, if anything.

    Raises:
        RunError: the file cannot be written; an older report is left as it was.
    """
    spec = inpainting_spec(checkpoint.spec, checkpoint.path)
    log = run.read_log()
    page = render_page(
        TEMPLATE,
        **run_values(log, checkpoint, evaluation, [_example(each, evaluation) for each in examples], warning),
        chips=_chips(checkpoint, spec, evaluation),
        tones=tone_tables(evaluation),
        few=FEW_NOTE,
        monk=MONK_SHADES,
        violations=counted(sum(evaluation.violations.values()), "pixel"),
        augmented=_augmented(spec, augmented) if augmented else None,
        legend={"gradient": error_legend(), "full": ERROR_FULL},
        facts=training_facts(spec, log, checkpoint.progress.step),
        cards=metric_cards(spec, evaluation),
    )
    write_text(path or run.report_path, page)


def run_values(
    log: Sequence[Mapping[str, Any]],
    checkpoint: Checkpoint,
    evaluation: Evaluation,
    examples: Sequence[Mapping[str, Any]],
    warning: str,
) -> dict[str, Any]:
    """Return what the pages of all runs show, whatever the task.

    Args:
        log: the run's log, which provides the curves.
        checkpoint: the evaluated checkpoint.
        evaluation: the results.
        examples: the result of `shown_example` for each.
        warning: what limits the results, if anything.
    """
    spec = checkpoint.spec
    ranking = ranking_metric(evaluation)
    measured_with = environment(spec)
    return {
        "name": spec.name,
        "summary": summary(evaluation),
        "warning": warning,
        "table": evaluation_table(evaluation),
        "trained": TRAINED,
        "versions": versions_text(measured_with["versions"]),
        "unavailable": evaluation.unavailable_by_reason(),
        "examples": examples,
        "ranking": None if ranking is None else value_label(ranking),
        "losses": [{"curve": curve, "image": draw(curve)} for curve in loss_curves(log)],
        "validations": [
            {"curve": curve, "image": draw(curve)}
            for curve in validation_curves(log)
            if not curve.title.endswith(" per image")  # twice as many curves would add little
        ],
        "spec": json.dumps(spec.to_json(), indent=2, ensure_ascii=False),
        "trained_with": checkpoint.about,
        "measured_with": measured_with,
    }


def _chips(checkpoint: Checkpoint, spec: Spec, evaluation: Evaluation) -> list[str]:
    height, width = spec.data.size
    return [
        f"generator {spec.generator.name}",
        f"{height}x{width} pixels (height x width)",
        f"inputs {', '.join(spec.data.input_names)}",
        f"composite {spec.composite}",
        f"checkpoint {checkpoint.path.stem} at step {evaluation.step:,}",
        measured_images(evaluation),
    ]


def _augmented(spec: Spec, samples: Sequence[AugmentedSample]) -> dict[str, Any]:
    return {
        "augmentations": [
            *([] if spec.data.garment_margin is None else ["garment_margin"]),
            *numbered(spec.augmentations),
        ],
        "parts": samples[0].parts,
        "samples": [
            {"name": each.name, "rows": {stage: png_uri(row) for stage, row in each.rows.items()}}
            for each in samples
        ],
    }


def _example(example: Example, evaluation: Evaluation) -> dict[str, Any]:
    kinds = {
        **dict.fromkeys(example.inputs, "input"),
        "output": "inpainted",
        "alpha": "skin found",
        "target": "ground truth",
        "error": "difference from target",
        **dict.fromkeys((name for name in example.outputs if name != TRAINED), "baseline"),
    }
    return shown_example(example, example.name, example.metric, example.value, evaluation, kinds)


def shown_example(
    example: Shown,
    name: str,
    metric: str | None,
    value: float | None,
    evaluation: Evaluation,
    kinds: Mapping[str, str],
) -> dict[str, Any]:
    """Return what a page shows for a test image.

    Args:
        example: its rank and images.
        name: the sample's name.
        metric: what it was ranked by, or None.
        value: its value of that metric, or None.
        evaluation: provides the metric's unit and direction.
        kinds: a short description of each image.
    """
    shown = ""
    if metric is not None and value is not None:
        info = evaluation.metrics[metric]
        shown = f"{value_label(metric)} {value_text(value, info)} {info.unit}".rstrip()
    height, width = next(iter(example.images.values())).shape[:2]
    return {
        "rank": example.rank,
        "name": name,
        "value": shown,
        "small": max(height, width) < SMALL,
        "images": {part: png_uri(image) for part, image in example.images.items()},
        "kinds": dict(kinds),
    }
