"""Configurations of the baselines that stand for systems of others."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from skinfw.components.config import GeneratorConfig
from skinfw.components.field_names import APPAREL, MASK
from skinfw.components.origin import Origin
from skinfw.components.outside import ProgramPath, SpecPath
from skinfw.components.strict_model import StrictModel
from skinfw_plugins.generators.config import outside_torch

Pixels = Annotated[int, Field(ge=1, le=10_000)]
"""A side of the images that a network of others gets."""


def _check_range(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] == value[1]:
        raise PydanticCustomError("range", "black and white must differ")
    return value


ValueRange = Annotated[tuple[float, float], AfterValidator(_check_range)]


class OnnxInput(StrictModel):
    """What an input of an ONNX file is given."""

    input: str = Field(
        min_length=1,
        description="an input of samples, such as apparel_head_foot, the image with white holes, or mask",
    )
    range: ValueRange | None = Field(
        default=None,
        description="its values for black and white, in a mask for what is kept and what is painted; null: 0 "
        "and 255 for integers, otherwise 0 and 1",
    )


def _check_label(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", value):
        raise PydanticCustomError(
            "label",
            "expected at most 40 letters, digits, '.', '_' and '-', beginning with a letter or digit",
        )
    return value


class LabeledConfig(GeneratorConfig):
    """Base of baselines that stand for the systems of others."""

    trainable: ClassVar[bool] = False

    label: Annotated[str, AfterValidator(_check_label)] | None = Field(
        default=None,
        description="what reports call it: at most 40 letters, digits, '.', '_' and '-'; null: the name of "
        "the component",
    )

    @property
    def export_error(self) -> str | None:
        """Why it cannot be exported: it is not a network of skinfw."""
        return outside_torch("the images of another system")

    @property
    def report_name(self) -> str | None:
        """The label."""
        return self.label


class ImagesConfig(LabeledConfig):
    """Images that another system made, by the names of the samples; nothing to train."""

    folder: Annotated[
        SpecPath, Origin("write the inputs with skinfw export-benchmark, and let the other system paint them")
    ] = Field(description="the folder of the images", examples=["images"])
    seconds_per_image: float | None = Field(
        default=None,
        ge=0,
        description="seconds per image that the system took, as you measured them, for tables; null: unknown",
    )
    peak_mib: float | None = Field(
        default=None,
        ge=0,
        description="memory in MiB that it took at most, as you measured it, for tables; null: unknown",
    )

    @property
    def required_inputs(self) -> tuple[str, ...]:
        """The image whose pixels are kept."""
        return (APPAREL,)


class CommandConfig(LabeledConfig):
    """A program that inpaints a folder of images; nothing to train."""

    program: Annotated[
        ProgramPath, Origin("install a program that reads a folder of images and writes one")
    ] = Field(description="the program", examples=["/usr/local/bin/inpaint"])
    arguments: tuple[Annotated[str, Field(max_length=10_000)], ...] = Field(
        default=("{inputs}", "{outputs}"),
        description="its arguments; {inputs} is replaced by the folder that it reads, {outputs} by the one "
        "that it writes to",
    )
    inputs: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(APPAREL, MASK),
        min_length=1,
        description="the inputs of samples that it reads, one folder each; mask is white where it must paint",
    )
    timeout: float = Field(
        default=3600, gt=0, le=1_000_000, description="seconds after which it is stopped, for one batch"
    )

    @property
    def required_inputs(self) -> tuple[str, ...]:
        """What it reads."""
        return tuple(dict.fromkeys(self.inputs))


class OnnxConfig(LabeledConfig):
    """Any inpainting network in an ONNX file, as a baseline; nothing to train."""

    path: Annotated[
        SpecPath,
        Origin("download one, such as LaMa from https://huggingface.co/Carve/LaMa-ONNX", "Apache-2.0 (LaMa)"),
    ] = Field(description="the ONNX file of an inpainting network", examples=["lama_fp32.onnx"])
    inputs: Annotated[dict[str, OnnxInput], Field(min_length=1)] | None = Field(
        default=None,
        description="each input of the file by name, and what it is given; null: the image where it takes 3 "
        "channels, the mask where it takes 1",
    )
    output: str | None = Field(
        default=None,
        min_length=1,
        description="the output to read, an image; null: the first one with 3 channels",
    )
    output_range: ValueRange | None = Field(
        default=None,
        description="its values for black and white, [0, 255] for LaMa; null: 0 and 255 for integers, "
        "otherwise 0 and 1",
    )
    size: tuple[Pixels, Pixels] | None = Field(
        default=None,
        description="height and width in pixels at which the network works; null: those of the file's "
        "inputs, and the image's own if they are free",
    )
    multiple_of: int = Field(
        default=8,
        ge=1,
        le=1024,
        description="height and width are padded to a multiple of this many pixels if they are free",
    )

    @property
    def required_inputs(self) -> tuple[str, ...]:
        """The image, its mask, and all that the table names."""
        named = () if self.inputs is None else [each.input for each in self.inputs.values()]
        return tuple(dict.fromkeys([APPAREL, MASK, *named]))


class DiffusersConfig(LabeledConfig):
    """Any inpainting pipeline of diffusers, as a baseline; nothing to train."""

    path: Annotated[
        SpecPath,
        Origin(
            "download one, such as hf download stable-diffusion-v1-5/stable-diffusion-inpainting --local-dir "
            "sd-inpainting",
            "CreativeML Open RAIL-M (Stable Diffusion)",
        ),
    ] = Field(
        description="the folder of a pipeline in diffusers' layout, with a model_index.json; weights must be "
        "safetensors",
        examples=["sd-inpainting"],
    )
    pipeline: str | None = Field(
        default=None,
        min_length=1,
        description="the class of diffusers that runs it, which must take image and mask_image, such as "
        "StableDiffusionInpaintPipeline for the weights of a text-to-image pipeline; null: the one in its "
        "model_index.json",
    )
    prompt: str = Field(
        default="a person with bare skin, photo",
        max_length=10_000,
        description="what to paint, if the pipeline takes a text",
    )
    negative_prompt: str | None = Field(
        default=None, max_length=10_000, description="what not to paint; null: nothing"
    )
    steps: int | None = Field(
        default=None, ge=1, le=10_000, description="denoising steps; null: the pipeline's default"
    )
    guidance: float | None = Field(
        default=None,
        ge=0,
        le=1000,
        description="how closely it follows the prompt (guidance_scale); null: the pipeline's default",
    )
    strength: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="how far it may leave the white hole that it gets: 1 ignores it; null: the pipeline's "
        "default",
    )
    seed: int = Field(default=0, ge=0, lt=2**63, description="seed of each image's noise")
    precision: Literal["float32", "float16", "bfloat16"] = Field(
        default="float32", description="in which it computes; float16 is for GPUs"
    )
    size: tuple[Pixels, Pixels] | None = Field(
        default=None,
        description="height and width in pixels at which it works, such as [512, 512]; the image keeps its "
        "aspect ratio and is padded; null: the image's own size",
    )
    multiple_of: int = Field(
        default=8,
        ge=1,
        le=1024,
        description="the image's own height and width are padded to a multiple of this many pixels",
    )

    @property
    def required_inputs(self) -> tuple[str, ...]:
        """The image and its mask."""
        return (APPAREL, MASK)
