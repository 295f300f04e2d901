"""Configurations of the segmenters that run a network from a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from skinfw.components.config import ComponentConfig, HubWeights
from skinfw.components.origin import Origin
from skinfw.components.outside import KEEPS_VARIABLES, Outside, SpecPath, resolve_text
from skinfw.components.regions import RegionName
from skinfw.components.variables import VariableText
from skinfw_plugins.segmenters.config_labels import Labels, LabelSetName, check_regions
from skinfw_plugins.shared.imagenet import IMAGENET_MEAN, IMAGENET_STD

_Pixels = Annotated[int, Field(ge=1, le=4096)]
_Deviation = Annotated[float, Field(gt=0)]
_HUB_PART = r"\w([\w.-]{0,94}\w)?"
_HUB_NAME = re.compile(rf"(?!.*(--|\.\.|\.git$))({_HUB_PART}/)?{_HUB_PART}", re.ASCII)
"""What huggingface_hub's ``validate_repo_id`` accepts."""


class OnnxParserConfig(ComponentConfig):
    """A human parser exported to ONNX, and the input that it expects.

    A file of ``skinfw export`` says all that itself.
    """

    path: Annotated[
        SpecPath,
        Origin(
            "export a parser that you trained with skinfw export, or SCHP from "
            "https://github.com/GoGoDuck912/Self-Correction-Human-Parsing",
            "MIT (SCHP), trained on data for non-commercial research",
        ),
    ] = Field(description="the ONNX file of a human parser", examples=["parser.onnx"])
    labels: Labels | None = Field(
        default=None,
        description="its classes: the name of a published label set, or classes and regions; null: those in "
        "a file of skinfw export",
    )
    size: tuple[_Pixels, _Pixels] | None = Field(
        default=None,
        description="height and width in pixels to which photos are resized; null: the fixed size of the "
        "file's input",
    )
    person_margin: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="look at the whole photo, undistorted, and then again at the person with this margin on "
        "every side, as a fraction of the person's longer side: for parsers trained on crops of people; "
        "null: the whole photo, resized, or what a file of skinfw export says",
    )
    channels: Literal["rgb", "bgr"] = Field(
        default="rgb", description="order of the colors in its input; SCHP expects bgr"
    )
    mean: tuple[float, float, float] = Field(
        default=IMAGENET_MEAN,
        description="mean subtracted from values in [0, 1], per channel in the order of its input",
    )
    std: tuple[_Deviation, _Deviation, _Deviation] = Field(
        default=IMAGENET_STD,
        description="standard deviation by which they are then divided, per channel in the order of its "
        "input",
    )
    output: str | None = Field(
        default=None,
        min_length=1,
        description="the output to read: scores with one channel per class, or integer class codes; null: "
        "the first output of either kind",
    )


def _hub_or_path(value: str, info: ValidationInfo) -> str:
    if value.startswith((".", "/", "~", "$")):
        path = resolve_text(value, info)
        known = not (isinstance(path, VariableText) and path.unset)
        # absolute, so that it is never mistaken for a name
        return str(Path(path).absolute()) if known and not Path(path).is_absolute() else path
    if _HUB_NAME.fullmatch(value):
        return value
    raise PydanticCustomError(
        "hub_name",
        "not a name on the Hugging Face hub: expected name or owner/name, each at most 96 letters, digits, "
        "'-', '_' and '.', without '-' or '.' at either end, without '--', '..' or a last '.git'; a folder "
        "must begin with a dot, slash, ~ or $",
    )


class HuggingfaceConfig(ComponentConfig):
    """A semantic-segmentation model of transformers, and its classes."""

    model: Annotated[
        str,
        AfterValidator(_hub_or_path),
        KEEPS_VARIABLES,
        Outside("hub"),
        Origin("choose one on https://huggingface.co/models", "on the model's page"),
    ] = Field(
        min_length=1,
        examples=["mattmdjaga/segformer_b2_clothes"],
        description="its name on the Hugging Face hub, such as owner/name, or a folder beginning with a "
        "dot, slash, ~ or $, such as ./name; weights must be safetensors",
    )
    revision: str | None = Field(
        default=None, min_length=1, description="branch, tag or commit on the hub; null: the newest"
    )
    labels: LabelSetName | Annotated[dict[RegionName, tuple[str, ...]], AfterValidator(check_regions)] = (
        Field(
            description="its classes: the name of a published label set with the same codes, or for each "
            "region the names of the model's classes; fashn also resizes photos as that parser expects, to "
            "576x384 by area, instead of with the model's image processor",
            examples=["atr"],
        )
    )
    other: RegionName | None = Field(
        default=None,
        description="region of the model's classes that labels does not list; null: labels must list all",
    )

    def hub_weights(self) -> tuple[HubWeights, ...]:
        """Return the model, unless it is a folder. See `ComponentConfig.hub_weights`."""
        if not _HUB_NAME.fullmatch(self.model):
            return ()
        return (HubWeights(self.model, f"https://huggingface.co/{self.model}", self.revision or ""),)


class MediapipeConfig(ComponentConfig):
    """MediaPipe's selfie multiclass segmentation."""

    model: Annotated[
        SpecPath,
        Origin(
            "download it from https://storage.googleapis.com/mediapipe-models/image_segmenter/"
            "selfie_multiclass_256x256/float32/latest/selfie_multiclass_256x256.tflite",
            "Apache-2.0",
        ),
    ] = Field(
        description="MediaPipe's model selfie_multiclass_256x256.tflite",
        examples=["selfie_multiclass_256x256.tflite"],
    )
