"""The trained models that are part of the package, named ``skinfw:NAME``. Light: pydantic only.

Each has a folder here with ``model.json``, the record below; ``NAME.safetensors``, a checkpoint reduced to
what use needs; and ``card.md``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from skinfw.components.outside import EMBEDDED
from skinfw.components.strict_model import StrictModel, nearest
from skinfw.components.weights import file_sha256
from skinfw.errors import UserError

FOLDER = Path(__file__).parent
"""Where the folders of the models are."""

RECORD, CARD = "model.json", "card.md"
"""The files beside the weights."""

MAX_BYTES = 8_000_000
"""Maximum size of all weights together."""

Purpose = Literal["photos_without_label_maps", "painting", "painting_regions"]
"""What a model may be the default for: segmenting photos that have no label maps, painting skin in a mask, or
finding and painting it in a larger region."""


class EmbeddedModel(StrictModel):
    """What is known about a model without opening it."""

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", description="its name after skinfw:")
    summary: str = Field(min_length=1, description="what it does, as one sentence")
    task: Literal["inpainting", "segmentation"] = Field(description="the task of its run")
    size: tuple[int, int] = Field(description="height and width of its images in pixels")
    license: str = Field(min_length=1, description="under which license it may be used")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="the SHA-256 of its weights")
    bytes: int = Field(ge=1, description="the size of its weights")
    default_for: Purpose | None = Field(
        default=None, description="what it is used for unless you name another"
    )
    segmenter: dict[str, Any] | None = Field(
        default=None, description="the segmenter that uses it, as in a spec; null for a model that paints"
    )

    @property
    def reference(self) -> str:
        """How commands and specs name it."""
        return f"{EMBEDDED}{self.name}"

    @property
    def folder(self) -> Path:
        """The folder with its files."""
        return FOLDER / self.name

    @property
    def weights(self) -> Path:
        """The checkpoint."""
        return self.folder / f"{self.name}.safetensors"

    @property
    def card(self) -> Path:
        """What it was trained on, its results, and its limits, as Markdown."""
        return self.folder / CARD


def embedded_models() -> dict[str, EmbeddedModel]:
    """Return the models in the package by name, in alphabetical order.

    Raises:
        UserError: a record is damaged.
    """
    found = {}
    for path in sorted(FOLDER.glob(f"*/{RECORD}")):
        try:
            model = EmbeddedModel.model_validate_json(path.read_bytes())
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: damaged; reinstall skinfw ({error})") from error
        found[model.name] = model
    return found


def default_model(purpose: str) -> EmbeddedModel | None:
    """Return the model that is used for a purpose unless you name another; None if the package has none."""
    return next((model for model in embedded_models().values() if model.default_for == purpose), None)


def is_embedded(model: str | os.PathLike[str]) -> bool:
    """Return whether a model is named as one in the package."""
    return os.fspath(model).startswith(EMBEDDED)


def find_model(name: str) -> EmbeddedModel:
    """Return the model of a name, with or without ``skinfw:``.

    Raises:
        UserError: the package has none of that name.
    """
    models = embedded_models()
    short = name.removeprefix(EMBEDDED)
    if short in models:
        return models[short]
    known = list(models)
    if not known:
        raise UserError(f"{EMBEDDED}{short}: this installation of skinfw contains no models; {HOW_TO_EMBED}")
    raise UserError(
        f"{EMBEDDED}{short}: no such model in skinfw{nearest(short, known)}; it contains: "
        f"{', '.join(f'{EMBEDDED}{each}' for each in known)}"
    )


HOW_TO_EMBED = (
    "install a release, or train one and put it in place with tools/embed_model.py in a checkout of skinfw"
)
"""What to do where models are missing."""


def embedded_file(name: str | os.PathLike[str]) -> Path:
    """Return the weights of a model in the package, after checking their SHA-256.

    Raises:
        UserError: no such model, or its file is missing or damaged.
    """
    model = find_model(os.fspath(name))
    if not model.weights.is_file():
        raise UserError(f"{model.weights}: the weights of {model.reference} are missing; reinstall skinfw")
    found = file_sha256(model.weights)
    if found != model.sha256:
        raise UserError(
            f"{model.weights}: is not {model.reference}: its SHA-256 is {found}, not {model.sha256}; "
            "reinstall skinfw"
        )
    return model.weights
