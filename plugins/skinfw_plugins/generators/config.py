"""Configurations of the built-in generators."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from skinfw.components.config import GeneratorConfig, Size, SizeRequirement
from skinfw.components.field_names import APPAREL, FACE, HEATMAPS, MASK, SKIN
from skinfw_plugins.networks.dcgan_config import DcganLayers
from skinfw_plugins.shared.fields import MAX_CHANNELS, Norm

MIN_HALVINGS = 3
"""A U-Net whose depth depends on the size halves it at least this often; sides must be multiples of 8
pixels."""


def outside_torch(what: str) -> str:
    """Return why something that a baseline makes cannot be exported, and what to do."""
    return (
        f"{what} cannot be computed by a graph; use the run or its checkpoint, which need torch, or train "
        "with mean_color as the coarse generator"
    )


def _halvings(size: Size) -> int:
    """Return how often both sides can be halved without a remainder."""
    height, width = size
    # the lowest set bit of a number is the largest power of two that divides it
    shared = height | width
    return (shared & -shared).bit_length() - 1


class ConditionalConfig(GeneratorConfig):
    """Base of the conditional networks: what they see besides the input images."""

    condition: Literal["inputs", "tone", "tone_film"] = Field(
        default="inputs",
        description="inputs: the input images alone; tone: also the color of the visible skin (the median "
        "of the visible face) as three constant channels; tone_film: that color scales and shifts "
        "the innermost features (FiLM, Perez et al. 2018). tone and tone_film need the input face",
    )
    noise: Literal["none", "channel", "dropout"] = Field(
        default="none",
        description="none: the same condition gives the same image; channel: an extra channel of normal "
        "noise; dropout: dropout also at inference (pix2pix)",
    )
    dropout: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        validate_default=True,
        description="probability of dropout in the innermost layers (0.5 in the pix2pix paper; none in the "
        "report); in training only unless noise is dropout",
    )

    output: Literal["rgb", "rgba"] = Field(
        default="rgb",
        description="rgb: an image; rgba: an image and an alpha channel, how much of each pixel is skin, for "
        "masks that are larger than the skin; needs the input mask and no input that shows the skin",
    )

    @field_validator("dropout")
    @classmethod
    def _check_dropout(cls, value: float, info: ValidationInfo) -> float:
        if value == 0 and info.data.get("noise") == "dropout":
            raise PydanticCustomError("dropout", 'noise "dropout" needs a dropout above 0, for example 0.5')
        return value

    @property
    def required_inputs(self) -> tuple[str, ...]:
        """The face, if its color is used, and the mask in which skin is to be found."""
        tone = () if self.condition == "inputs" else (APPAREL, FACE)
        return (*tone, MASK) if self.gives_alpha else tone

    @property
    def gives_alpha(self) -> bool:
        """Whether the output has an alpha channel."""
        return self.output == "rgba"

    @property
    def export_error(self) -> str | None:
        """Why it cannot be exported: it draws new masks for every image."""
        if self.noise != "dropout":
            return None
        return (
            'noise "dropout" draws new masks for every image, which a graph cannot; train with noise '
            '"channel" or "none" to export the network'
        )

    @property
    def output_channels(self) -> int:
        """Channels of the output."""
        return len(self.output)


class Pix2PixConfig(ConditionalConfig):
    """The U-Net of pix2pix (Isola et al. 2017, section 6.1.1; the report's section 5.2.3.1).

    The report's generator is deterministic, so dropout is off by default; it acts in the three innermost up
    blocks.
    """

    base_channels: int = Field(
        default=64,
        ge=1,
        le=MAX_CHANNELS,
        description="channels after the first convolution; doubled at each halving, up to 8 times this",
    )
    depth: int | None = Field(
        default=None,
        ge=1,
        le=16,
        description="how often the image is halved; unset: as often as the size allows, at least 3 times "
        "(down to 1x1 for a power of two)",
    )
    norm: Norm = Field(default="batch", description="normalization after convolutions")

    @field_validator("depth")
    @classmethod
    def _check_depth(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value == 1 and info.data.get("noise") == "dropout":
            raise PydanticCustomError(
                "depth", "with depth 1, no layer has dropout; increase depth, or choose another noise"
            )
        return value

    def depth_for(self, size: Size) -> int:
        """Return how often a network built for ``size`` (height, width) halves its images."""
        return self.depth if self.depth is not None else max(MIN_HALVINGS, _halvings(size))

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return the sizes that a network built for ``size`` accepts: multiples of its stride."""
        stride = 2 ** self.depth_for(size)
        return SizeRequirement(minimum=stride, multiple_of=stride)


class FillConfig(GeneratorConfig):
    """Base of the baselines that fill the skin region."""

    trainable: ClassVar[bool] = False

    @property
    def required_inputs(self) -> tuple[str, ...]:
        """The region to fill, and what it is filled from."""
        return (APPAREL, SKIN, MASK)


class OpenCvInpaintConfig(FillConfig):
    """Classical inpainting with OpenCV; nothing to train."""

    method: Literal["telea", "navier_stokes"] = Field(
        default="telea",
        description="telea (fast marching, Telea 2004) or navier_stokes (Bertalmio et al. 2001)",
    )
    radius: float = Field(
        default=3.0,
        gt=0,
        le=100,
        description="radius in pixels of the neighborhood that each pixel is filled from",
    )

    @property
    def export_error(self) -> str | None:
        """Why it cannot be exported: it is not a network."""
        return outside_torch("the image that OpenCV inpaints")


class MeanColorConfig(FillConfig):
    """One color for the whole skin: the median of the face, a robust mean; nothing to train."""

    @property
    def required_inputs(self) -> tuple[str, ...]:
        """The region to fill, and where the color comes from."""
        return (APPAREL, FACE, SKIN, MASK)


class LimbsConfig(GeneratorConfig):
    """Limbs of typical width along the pose, in the color of the face; nothing to train."""

    trainable: ClassVar[bool] = False

    width: float = Field(
        default=1.0,
        gt=0,
        le=2,
        description="width of the limbs, as a factor of the typical one",
    )

    @property
    def required_inputs(self) -> tuple[str, ...]:
        """The pose, the mask that the limbs are in, and where the color comes from."""
        return (APPAREL, FACE, HEATMAPS, MASK)

    @property
    def gives_alpha(self) -> bool:
        """It does: limbs are skin."""
        return True

    @property
    def export_error(self) -> str | None:
        """Why it cannot be exported: it is not a network."""
        return outside_torch("limbs along the pose")


class FcnnConfig(ConditionalConfig):
    """The report's simple model (its section 5.2.1): fully connected layers from image to image.

    Every value of the condition is connected to every hidden neuron, so the network only works with the size
    and inputs that it was built for. The report trained it with an mse loss and a generator_lr of 1e-2.
    """

    hidden_widths: tuple[Annotated[int, Field(ge=1, le=65_536)], ...] = Field(
        default=(20,),
        min_length=1,
        description="neurons of each hidden layer, from condition to image (report: one layer of 20)",
    )

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return the only size that a network built for ``size`` accepts: that one."""
        return SizeRequirement(exactly=size)


class DcganGeneratorConfig(DcganLayers, GeneratorConfig):
    """The generator of DCGAN (Radford et al. 2016, section 3; the report's section 5.2.2): noise alone."""

    latent: int = Field(
        default=100,
        ge=1,
        le=65_536,
        description="length of the noise vector that an image is generated from (paper: 100), drawn from a "
        "normal distribution (as in the report; uniform in the paper)",
    )

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return the only size that a network built for ``size`` accepts, if it can be halved."""
        return self.dcgan_requirement(size)
