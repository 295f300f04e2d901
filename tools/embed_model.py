"""Puts a trained model into the package: its weights, its record, and its card.

``python tools/embed_model.py RUN street-parser`` exports the best checkpoint of a run with weights in float16
(or in float32, if float16 gives other results) and writes ``core/skinfw/models/street-parser``. What people
say about the model is in ``tools/models/street-parser.toml``; its results come from ``metrics.json``.
"""

from __future__ import annotations

import shutil
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import click
from model_card import Notes, card
from pydantic import ValidationError

from skinfw.components.outside import EMBEDDED
from skinfw.components.validation_errors import format_errors
from skinfw.components.weights import file_sha256
from skinfw.errors import RunError, SkinfwError, UserError
from skinfw.evaluation.evaluated_run import read_evaluated_run
from skinfw.export.reduced import export_checkpoint
from skinfw.models.embedded import CARD, MAX_BYTES, RECORD, EmbeddedModel, embedded_models
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.runs.folder import Run
from skinfw.runs.trained import open_trained
from skinfw.runtime.metadata import Precision
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.system.json_file import write_json, write_text

NOTES = Path(__file__).parent / "models"


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("name")
@click.option("--notes", type=click.Path(path_type=Path), help="Default: tools/models/NAME.toml.")
@click.option("--samples", type=click.Path(path_type=Path), help="As for skinfw export.")
def main(run: Path, name: str, notes: Path | None, samples: Path | None) -> None:
    """Put the best checkpoint of RUN into the package as skinfw:NAME; an older model of that name goes."""
    try:
        model, precision = embed(run, name, notes or NOTES / f"{name}.toml", samples)
    except SkinfwError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{model.weights}: {model.bytes / 1e6:.2f} MB, {precision}, SHA-256 {model.sha256}")
    total = sum(each.bytes for each in embedded_models().values())
    click.echo(f"all models: {total / 1e6:.2f} of {MAX_BYTES / 1e6:.0f} MB")


def embed(
    folder: Path, name: str, notes_file: Path, samples: Path | None = None
) -> tuple[EmbeddedModel, Precision]:
    """Write the folder of a model.

    Args:
        folder: the run folder, with ``metrics.json``.
        name: the name of the model.
        notes_file: what the card says besides; see `model_card.Notes`.
        samples: as for `skinfw.export.reduced.export_checkpoint`.

    Returns:
        the record, and the type of the weights.

    Raises:
        UserError: the notes are invalid, or all models together would be too large.
        RunError: the results in the run folder are not those of its best checkpoint.
    """
    notes = read_notes(notes_file)
    run = open_trained(folder, "best")
    evaluated = read_evaluated_run(folder, folder.name)
    if evaluated.sha256 != file_sha256(run.checkpoint("best")):
        raise RunError(
            f"{folder}: its metrics.json is of other weights; measure it: skinfw evaluate {folder}"
        )
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary, name)
        weights = made / f"{name}.safetensors"
        precision = _export(run, weights, samples, notes.license)
        model = _record(name, weights, run, notes)
        others = sum(each.bytes for each in embedded_models().values() if each.name != name)
        if others + model.bytes > MAX_BYTES:
            raise UserError(
                f"{name}: {model.bytes:,} bytes, and the other models have {others:,}; all together may have "
                f"{MAX_BYTES:,}. Train a smaller network"
            )
        write_json(made / RECORD, model.model_dump(mode="json"))
        text = card(model, notes, read_checkpoint(weights), precision, run.spec, evaluated.evaluation)
        write_text(made / CARD, text)
        if model.folder.exists():
            shutil.rmtree(model.folder)
        shutil.copytree(made, model.folder)
    return model, precision


def read_notes(path: Path) -> Notes:
    """Read the notes of a model.

    Raises:
        UserError: the file is missing or invalid.
    """
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
        return Notes.model_validate(value)
    except ValidationError as error:
        raise UserError(f"{path}: {'; '.join(format_errors(error, value))}") from error
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path}: {error}") from error


def _export(run: Run, weights: Path, samples: Path | None, license_note: str) -> Precision:
    """Write the weights as float16 if the results stay the same, and as float32 otherwise."""
    options: dict[str, Any] = {"samples": samples, "license_note": license_note}
    try:
        export_checkpoint(run, weights, half=True, **options)
    except UserError:
        raise
    except SkinfwError as error:
        click.echo(f"{error}; float32 instead", err=True)
        export_checkpoint(run, weights, half=False, **options)
        return "float32"
    return "float16"


def _record(name: str, weights: Path, run: Run, notes: Notes) -> EmbeddedModel:
    segmentation = isinstance(run.spec, SegmentationSpec)
    if segmentation != (notes.segmenter is not None):
        raise UserError(
            f"{name}: the notes need a segmenter for a run with the task segmentation, and only then"
        )
    try:
        return EmbeddedModel(
            name=name,
            summary=notes.summary,
            task="segmentation" if segmentation else "inpainting",
            size=run.spec.data.size,
            license=notes.license,
            sha256=file_sha256(weights),
            bytes=weights.stat().st_size,
            default_for=notes.default_for,
            segmenter=None if notes.segmenter is None else {**notes.segmenter, "path": f"{EMBEDDED}{name}"},
        )
    except ValidationError as error:
        raise UserError(f"{name}: {'; '.join(format_errors(error, None))}") from error


if __name__ == "__main__":
    main()
