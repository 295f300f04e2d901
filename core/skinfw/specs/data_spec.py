"""The data of an inpainting spec. Light: importing and validating it imports no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from skinfw.components.field_names import APPAREL
from skinfw.components.reference import ComponentSpec, Slot, use_default, use_defaults
from skinfw.specs.run_spec import SplitSpec

InputSlot = Annotated[ComponentSpec, Slot("input")]
DatasetSlot = Annotated[ComponentSpec, Slot("dataset")]
Margin = Annotated[float, Field(ge=0, le=0.5)]


class DataSpec(SplitSpec):
    """Where the images come from, and which ones the networks see."""

    dataset: DatasetSlot = Field(
        default_factory=lambda: use_default("dataset"),
        description="the data set; by default the one that skinfw list marks as default",
    )
    inputs: tuple[InputSlot, ...] = Field(
        default_factory=lambda: tuple(use_defaults("input", "inputs")),
        min_length=1,
        description="inputs of the generator, in the order of their channels (report, section 6.1.1)",
    )
    mask_margin: int = Field(
        default=0,
        ge=0,
        le=8192,
        description="for samples without a mask, such as the report's: width of the erased margin around "
        "the skin that may be inpainted, in pixels of the sample",
    )
    garment_margin: tuple[Margin, Margin] | None = Field(
        default=None,
        description="grow the inpainting mask around the skin like the garments that hide skin: minimum and "
        "maximum margin as fractions of the image's height, drawn for every limb in every epoch; in "
        "evaluation, the sample's name decides. Everything under the mask is erased. null: the mask of the "
        "samples",
    )

    kept_skin: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="fraction of the training samples that keep skin on one side of a line, drawn at random "
        "in every epoch: an augmentation. In evaluations and in use, the network sees no skin but the face",
    )

    @field_validator("garment_margin")
    @classmethod
    def _check_garment_margin(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and value[0] > value[1]:
            raise PydanticCustomError("range", "the minimum must come first")
        return value

    @field_validator("inputs")
    @classmethod
    def _check_inputs(cls, value: tuple[ComponentSpec, ...]) -> tuple[ComponentSpec, ...]:
        names = [each.name for each in value]
        if APPAREL not in names:
            raise PydanticCustomError("inputs", f"{APPAREL} must be among the inputs")
        if len(set(names)) != len(names):
            raise PydanticCustomError("inputs", "duplicate input; name each once")
        return value

    @property
    def training_masks(self) -> tuple[str, ...]:
        """The names of the fields that change the masks of training samples."""
        changed = {"garment_margin": self.garment_margin is not None, "kept_skin": self.kept_skin > 0}
        return tuple(name for name, used in changed.items() if used)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the inputs, in the order of their channels."""
        return tuple(each.name for each in self.inputs)
