"""The report of a run: an HTML page, and next to it the files of the images that it does not contain."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from skinfw.components.reference import numbered
from skinfw.components.registry import TRAINED
from skinfw.errors import counted
from skinfw.evaluation.augmented import AugmentedSample
from skinfw.evaluation.bootstrap import MIN_IMAGES
from skinfw.evaluation.error_map import ERROR_FULL, error_legend
from skinfw.evaluation.examples import ranking_metric
from skinfw.evaluation.gallery import Gallery
from skinfw.evaluation.metric_metadata import versions_text
from skinfw.evaluation.metric_tables import (
    evaluation_table,
    masks_note,
    measured_images,
    value_label,
)
from skinfw.evaluation.results import Evaluation
from skinfw.evaluation.summary import VERDICT_NOTE, summary
from skinfw.evaluation.tone_groups import ENOUGH, MONK_SHADES
from skinfw.reporting.data_uri import png_uri
from skinfw.reporting.facts import metric_cards, training_facts
from skinfw.reporting.gallery import gallery_values, shown_examples
from skinfw.reporting.pages import render_page
from skinfw.reporting.plots import draw, loss_curves, validation_curves
from skinfw.reporting.tone_plots import tone_sections
from skinfw.reporting.tones import FEW_NOTE
from skinfw.runs.checkpoints import Checkpoint
from skinfw.runs.environment import environment
from skinfw.runs.folder import Run
from skinfw.runs.ledger import ledger_of_run
from skinfw.specs.spec import Spec, inpainting_spec
from skinfw.system.json_file import write_text

TEMPLATE = "report.html"


def write_report(
    run: Run,
    checkpoint: Checkpoint,
    evaluation: Evaluation,
    gallery: Gallery,
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
        gallery: the images to show; their files lie below the report's folder.
        augmented: training samples before and after the augmentations.
        path: the file; None for the run's own report.
        warning: what limits the results, if anything.

    Raises:
        RunError: the file cannot be written; an older report is left as it was.
    """
    spec = inpainting_spec(checkpoint.spec, checkpoint.path)
    log = run.read_log()
    target = path or run.report_path
    page = render_page(
        TEMPLATE,
        **run_values(run, log, checkpoint, evaluation, gallery, target.parent, warning),
        chips=_chips(checkpoint, spec, evaluation),
        tones=tone_sections(evaluation),
        enough=ENOUGH,
        min_images=MIN_IMAGES,
        verdict_note=VERDICT_NOTE,
        few=FEW_NOTE,
        monk=MONK_SHADES,
        masks=masks_note(evaluation),
        violations=counted(sum(evaluation.violations.values()), "pixel"),
        augmented=_augmented(spec, augmented) if augmented else None,
        legend={"gradient": error_legend(), "full": ERROR_FULL},
        facts=training_facts(spec, log, checkpoint.progress.step),
        cards=metric_cards(spec, evaluation),
    )
    write_text(target, page)


def run_values(
    run: Run,
    log: Sequence[Mapping[str, Any]],
    checkpoint: Checkpoint,
    evaluation: Evaluation,
    gallery: Gallery,
    folder: Path,
    warning: str,
) -> dict[str, Any]:
    """Return what the pages of all runs show, whatever the task.

    Args:
        run: the run.
        log: its log, which provides the curves.
        checkpoint: the evaluated checkpoint.
        evaluation: the results.
        gallery: the images to show.
        folder: the report's folder.
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
        "examples": shown_examples(gallery, evaluation),
        "total": len(evaluation.names),
        "gallery": gallery_values(gallery, evaluation, folder),
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
        "ledger": ledger_of_run(run, checkpoint),
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
            *spec.data.training_masks,
            *numbered(spec.augmentations),
        ],
        "parts": samples[0].parts,
        "samples": [
            {"name": each.name, "rows": {stage: png_uri(row) for stage, row in each.rows.items()}}
            for each in samples
        ],
    }
