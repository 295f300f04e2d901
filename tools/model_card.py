"""The card of a model in the package: what it was trained on, its results by skin tone, and its limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pydantic import Field

from skinfw.components.field_names import IMAGE, LABELS
from skinfw.components.strict_model import StrictModel
from skinfw.data.batch import collate
from skinfw.errors import DataError, counted
from skinfw.evaluation.metric_tables import evaluation_table
from skinfw.evaluation.results import Evaluation, SkinTone
from skinfw.evaluation.skin_tone import skin_tones
from skinfw.evaluation.summary import summary
from skinfw.models.embedded import EmbeddedModel, Purpose
from skinfw.reporting.tables import markdown_table
from skinfw.reporting.tones import FEW, FEW_NOTE, short_tone_table
from skinfw.runs.checkpoints import Checkpoint
from skinfw.runtime.metadata import Precision
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.spec import AnySpec
from skinfw.tasks.segmentation.photos import LabeledPhotos


class Notes(StrictModel):
    """What people have to say about a model."""

    summary: str = Field(min_length=1, description="what it does, as one sentence")
    license: str = Field(min_length=1, description="under which license it may be used, such as Apache-2.0")
    default_for: Purpose | None = Field(default=None, description="what it is used for by default")
    segmenter: dict[str, Any] | None = Field(
        default=None, description="for a parser: the segmenter that uses it, without its path"
    )
    use: str = Field(min_length=1, description="commands that use it")
    data: str = Field(min_length=1, description="the photos that it was trained on, and their license")
    start: str = Field(min_length=1, description="the weights that training started from, and their license")
    limits: str = Field(min_length=1, description="where it fails, and what it must not be used for")
    command: str = Field(min_length=1, description="the command that trained it")


def card(
    model: EmbeddedModel,
    notes: Notes,
    weights: Checkpoint,
    precision: Precision,
    spec: AnySpec,
    evaluation: Evaluation,
) -> str:
    """Return a model's card as Markdown.

    Args:
        model: its record.
        notes: what people have to say about it.
        weights: its file.
        precision: the type of its weights.
        spec: the spec of its run, with the places of its data.
        evaluation: the results of its run.
    """
    return "\n".join(_lines(model, notes, weights, precision, _with_tones(evaluation, spec)))


def _lines(
    model: EmbeddedModel, notes: Notes, weights: Checkpoint, precision: Precision, evaluation: Evaluation
) -> Iterator[str]:
    height, width = model.size
    facts = {
        "name": f"`{model.reference}`",
        "task": model.task,
        "default for": (model.default_for or "nothing").replace("_", " "),
        "images": f"{height}x{width} pixels (height x width)",
        "file": f"`{model.weights.name}`, {model.bytes:,} bytes, {precision}",
        "SHA-256": f"`{model.sha256}`",
        "license": model.license,
    }
    yield f"# {model.name}\n\n{model.summary}\n"
    yield "| | |\n| --- | --- |"
    yield from (f"| {name} | {value} |" for name, value in facts.items())
    yield f"\n## Use\n\n```bash\n{notes.use.strip()}\n```"
    yield f"\n## Data\n\n{notes.data.strip()}"
    yield f"\n## Start\n\n{notes.start.strip()}"
    yield f"\n## Results\n\n{summary(evaluation)}\n\n{markdown_table(evaluation_table(evaluation))}"
    if weights.about["spec"]["data"].get("person_margin") is not None:
        yield "\nMeasured on crops of the people that the label maps show."
    tones = short_tone_table(evaluation)
    if tones is not None:
        table = markdown_table(tones)
        few = f"\n\n{FEW_NOTE}" if FEW in table else ""
        yield f"\nBy class of the individual typology angle, lightest first:\n\n{table}{few}"
    yield f"\n## Limits\n\n{notes.limits.strip()}"
    yield f"\n## How it was made\n\n```bash\n{notes.command.strip()}\n```\n\n{_parity(weights, precision)}"
    yield f"\nThe complete spec:\n\n```json\n{json.dumps(weights.about['spec'], indent=2)}\n```\n"


def _parity(weights: Checkpoint, precision: Precision) -> str:
    about = weights.about["parity"]
    what = "values" if about["max_difference"] is not None else "labels"
    return (
        f"The file has the weights of step {weights.progress.step:,} in {precision}. On "
        f"{counted(about['samples'], 'test image')}, {about['different']:.3%} of the {what} differ from "
        "those of the checkpoint in float32."
    )


def _with_tones(evaluation: Evaluation, spec: AnySpec) -> Evaluation:
    """Return the results of a parser with the skin tone of each photo, for a table by skin tone."""
    if not isinstance(spec, SegmentationSpec) or "skin/iou_per_image" not in evaluation.metrics:
        return evaluation
    photos = LabeledPhotos(spec.data)
    return replace(evaluation, tones=tuple(_tone(photos, name) for name in evaluation.names))


def _tone(photos: LabeledPhotos, name: str) -> SkinTone | None:
    try:
        batch = collate([photos.load(name)])
    except DataError:
        return None
    codes = [photos.classes.names.index(each) for each in photos.classes.regions["skin"]]
    shown = sum((batch[LABELS] == code).float() for code in codes)
    return skin_tones(batch[IMAGE], shown.reshape(1, 1, *batch.size))[0]  # type: ignore[union-attr]
