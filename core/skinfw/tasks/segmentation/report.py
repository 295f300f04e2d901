"""The report of a segmentation run: an HTML page next to the files of its images."""

from __future__ import annotations

from pathlib import Path

from skinfw.data.classes import ClassTable
from skinfw.evaluation.gallery import Gallery
from skinfw.evaluation.metric_tables import measured_images
from skinfw.evaluation.results import Evaluation
from skinfw.reporting.facts import run_facts
from skinfw.reporting.pages import render_page
from skinfw.reporting.report import run_values
from skinfw.runs.checkpoints import Checkpoint
from skinfw.runs.folder import Run
from skinfw.system.json_file import write_text
from skinfw.tasks.segmentation.label_images import class_colors

TEMPLATE = "segmentation.html"


def write_segmentation_report(
    run: Run,
    checkpoint: Checkpoint,
    evaluation: Evaluation,
    gallery: Gallery,
    classes: ClassTable,
    parameters: int,
    *,
    path: Path,
    warning: str = "",
) -> None:
    """Write a segmentation run's ``report.html``.

    Args:
        run: the run, whose log provides the curves.
        checkpoint: the evaluated checkpoint.
        evaluation: the results.
        gallery: the photos to show.
        classes: the classes.
        parameters: trained parameters of the network.
        path: the file.
        warning: what limits the results, if anything.

    Raises:
        RunError: the file cannot be written; an older report is left as it was.
    """
    height, width = checkpoint.spec.data.size
    colors = class_colors()
    log = run.read_log()
    page = render_page(
        TEMPLATE,
        **run_values(run, log, checkpoint, evaluation, gallery, path.parent, warning),
        chips=[
            f"{len(classes.names)} classes",
            f"{height}x{width} pixels (height x width)",
            f"checkpoint {checkpoint.path.stem} at step {evaluation.step:,}",
            measured_images(evaluation),
        ],
        legend={
            name: "#{:02x}{:02x}{:02x}".format(*colors[place]) for place, name in enumerate(classes.names)
        },
        facts=run_facts(log, checkpoint.progress.step, {"network": parameters}),
        size=f"{height}x{width}",
    )
    write_text(path, page)
