"""What the models in the package are used for unless you name something else. Light: pydantic only."""

from __future__ import annotations

from pathlib import Path

from skinfw.components.reference import ComponentSpec, read_component
from skinfw.errors import UserError
from skinfw.models.embedded import HOW_TO_EMBED, EmbeddedModel, Purpose, default_model

SEGMENTING: Purpose = "photos_without_label_maps"


def segmenter_of(model: EmbeddedModel) -> ComponentSpec:
    """Return the segmenter that uses a model.

    Raises:
        SpecError: its parameters are invalid.
        UserError: the model is not a parser.
    """
    if model.segmenter is None:
        raise UserError(f"{model.reference}: paints, and finds no parts of people")
    return read_component("segmenter", model.segmenter)


def default_parser() -> ComponentSpec | None:
    """Return the segmenter for photos without label maps that is in the package, or None."""
    model = default_model(SEGMENTING)
    return None if model is None else segmenter_of(model)


def default_painters() -> tuple[Path, ...]:
    """Return the names of all models that paint if you name none, that for masks first.

    Raises:
        UserError: the package has none for masks.
    """
    finder = default_model("painting_regions")
    return (default_painter(), *([] if finder is None else [Path(finder.reference)]))


def default_painter(*, region: bool = False) -> Path:
    """Return the name of the model that paints photos if you name none.

    Args:
        region: for regions in which it has to find the skin, instead of masks.

    Raises:
        UserError: the package has none.
    """
    model = default_model("painting_regions" if region else "painting")
    if model is None:
        what = "regions" if region else "masks"
        raise UserError(
            f"this installation of skinfw contains no model that paints {what}: name a run folder, a "
            f"checkpoint or an exported .onnx file; or {HOW_TO_EMBED}"
        )
    return Path(model.reference)
