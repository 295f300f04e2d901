"""The argument MODEL of commands that paint without it too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from skinfw.data.image_formats import is_image_name
from skinfw.errors import UserError
from skinfw.models.checkpoint_file import SUFFIX
from skinfw.models.defaults import default_painter
from skinfw.models.named import is_named

_ENDINGS = (SUFFIX, ".onnx")


def model_and_photo(paths: Sequence[Path], model: Path | None, *, region: bool) -> tuple[Path, Path]:
    """Return the model and the photo in the arguments ``[MODEL] PHOTO``.

    Args:
        paths: the arguments, at least one.
        model: the value of --model.
        region: whether the model has to find the skin in a region.

    Raises:
        UserError: the photo is missing, there is more than one, the model is named twice, or none is named
            and the package has none.
    """
    *models, photo = paths
    if len(models) > 1:
        raise UserError(f"{models[1]}: a second photo; give the folder that holds them, or a list")
    if models and model is not None:
        raise UserError(f"{models[0]} and --model {model}: name only one model")
    if models and is_image_name(models[0].name) and not models[0].is_dir():
        raise UserError(f"{models[0]}: an image, not a model; if {photo} is its mask, name it with --mask")
    if not models and is_model(photo):
        raise UserError(f"{photo}: a model; name the photo to paint after it")
    return (models[0] if models else model or default_painter(region=region)), photo


def is_model(path: Path) -> bool:
    """Return whether a path or name can only be a model: a run folder, a file of one, or a name."""
    return is_named(path) or path.suffix in _ENDINGS or (path / "spec.json").is_file()
