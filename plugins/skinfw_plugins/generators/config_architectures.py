"""Configurations of the architectures in the report's outlook (section 7), and of a refining one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from skinfw.components.config import GeneratorConfig, Size, SizeRequirement
from skinfw.components.outside import Outside
from skinfw.components.reference import ComponentSpec, Slot, use
from skinfw.models.named import ModelPath
from skinfw.specs.compatibility import gives_alpha, trains
from skinfw_plugins.generators.config import ConditionalConfig
from skinfw_plugins.networks.smp_config import SmpConfig
from skinfw_plugins.shared.fields import MAX_BLOCKS, MAX_CHANNELS, Norm


class SmpUnetConfig(SmpConfig, ConditionalConfig):
    """A decoder of segmentation-models-pytorch on an encoder of that library, timm or BodyPix 2.

    It accepts any size: images are padded to the encoder's stride by repeating their edge, and cropped back.
    """


class Pix2PixHDConfig(ConditionalConfig):
    """The coarse-to-fine generator of pix2pixHD (Wang et al. 2018, section 3.2 and appendix)."""

    base_channels: int = Field(
        default=64,
        ge=1,
        le=MAX_CHANNELS,
        description="channels after the global generator's first convolution; they double at each halving. A "
        "local enhancer has half as many as the network that it enhances",
    )
    downsamplings: int = Field(
        default=4, ge=1, le=8, description="how often the global generator halves its input"
    )
    blocks: int = Field(default=9, ge=1, le=MAX_BLOCKS, description="residual blocks of the global generator")
    enhancers: int = Field(
        default=1,
        ge=0,
        le=2,
        validate_default=True,
        description="local enhancers around the global generator; each halves the size at which it works",
    )
    enhancer_blocks: int = Field(
        default=3, ge=1, le=MAX_BLOCKS, description="residual blocks of each local enhancer"
    )
    norm: Norm = Field(default="instance", description="normalization after convolutions")

    @field_validator("enhancers")
    @classmethod
    def _check_enhancers(cls, value: int, info: ValidationInfo) -> int:
        if info.data.get("base_channels", 0) % 2**value:
            raise PydanticCustomError(
                "enhancers", "with enhancers {value}, base_channels must be a multiple of {step}",
                {"value": value, "step": 2**value},
            )  # fmt: skip
        return value

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return the sizes that the network accepts: multiples of its stride.

        Mirroring at the edge and instance normalization need at least two innermost pixels per side.
        """
        stride = 2 ** (self.downsamplings + self.enhancers)
        return SizeRequirement(minimum=2 * stride, multiple_of=stride)


class GatedUnetConfig(ConditionalConfig):
    """The coarse network of free-form inpainting with gated convolutions (Yu et al. 2019, section 3)."""

    base_channels: int = Field(
        default=48,
        ge=2,
        le=MAX_CHANNELS,
        multiple_of=2,
        description="channels after the first convolution (48 in the authors' code); they double at each "
        "halving. Must be even: the last gated convolution has half as many",
    )
    downsamplings: int = Field(
        default=2, ge=1, le=8, description="how often the image is halved (2 in the paper)"
    )
    dilations: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = Field(
        default=(2, 4, 8, 16),
        max_length=16,
        description="dilation of each convolution in the middle, in pixels of the innermost features",
    )
    skips: bool = Field(
        default=True,
        description="pass the encoder's features of each scale to the decoder, as in a U-Net; the paper "
        "found little use in them and has none",
    )

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return the sizes that the network accepts: multiples of its stride."""
        stride = 2**self.downsamplings
        return SizeRequirement(minimum=stride, multiple_of=stride)


class LamaConfig(ConditionalConfig):
    """The generator of large-mask inpainting (Suvorov et al. 2022, section 2.1 and supplement)."""

    base_channels: int = Field(
        default=64,
        ge=1,
        le=MAX_CHANNELS,
        description="channels after the first convolution; they double at each halving",
    )
    downsamplings: int = Field(
        default=3, ge=1, le=8, description="how often the image is halved (3 in the paper)"
    )
    blocks: int = Field(
        default=9,
        ge=1,
        le=MAX_BLOCKS,
        description="residual blocks of fast Fourier convolutions (9; 18 in Big LaMa)",
    )
    global_ratio: float = Field(
        default=0.75,
        gt=0,
        lt=1,
        description="fraction of the blocks' channels in the global branch",
    )
    norm: Norm = Field(default="batch", description="normalization after convolutions")

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return the sizes that the network accepts: multiples of its stride.

        Mirroring at the edge needs at least two innermost pixels per side.
        """
        stride = 2**self.downsamplings
        return SizeRequirement(minimum=2 * stride, multiple_of=stride)


class TwoStageConfig(GeneratorConfig):
    """A second network that improves the output of a first one (the report's section 7)."""

    coarse: Annotated[ComponentSpec, Slot("generator")] = Field(
        description="the generator whose image is improved; it may have nothing to train, such as mean_color"
    )
    refiner: Annotated[ComponentSpec, Slot("generator")] = Field(
        default_factory=lambda: use("generator", "pix2pix", base_channels=32),
        description="the network that improves it; it sees the input images and the coarse image",
    )
    scale: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="maximum by which the refiner can change a value; images are in [0, 1]",
    )
    train_coarse: bool = Field(
        default=True,
        description="train the coarse generator together with the refiner; false: its weights stay those of "
        "coarse_run",
    )
    coarse_run: Annotated[ModelPath | None, Outside("model", training=True)] = Field(
        default=None,
        validate_default=True,
        description="run folder whose best checkpoint initializes the coarse generator's weights when "
        "training begins, a checkpoint, or a model like hub:ORG/NAME@COMMIT or skinfw:NAME; null: the "
        "network's own initialization",
    )

    @field_validator("refiner")
    @classmethod
    def _check_refiner(cls, value: ComponentSpec) -> ComponentSpec:
        if not trains(value):
            raise PydanticCustomError("refiner", f"{value.name!r} has nothing to train, so it cannot refine")
        return value

    @field_validator("coarse_run")
    @classmethod
    def _check_coarse_run(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        coarse: ComponentSpec | None = info.data.get("coarse")
        if coarse is None:  # reported already
            return value
        if value is not None and not trains(coarse):
            raise PydanticCustomError(
                "coarse_run", f"{coarse.name!r} has nothing to train; remove coarse_run"
            )
        if value is None and trains(coarse) and info.data.get("train_coarse") is False:
            raise PydanticCustomError(
                "coarse_run",
                "train_coarse false needs a coarse_run that trained the coarse generator",
            )
        return value

    def trained_by(self) -> Path | None:
        """Return the run of the coarse generator. See `ComponentConfig.trained_by`."""
        return self.coarse_run

    @property
    def trains_coarse(self) -> bool:
        """Whether the coarse generator is trained too."""
        return self.train_coarse and trains(self.coarse)

    @property
    def _parts(self) -> list[GeneratorConfig]:
        configs = (self.coarse.config, self.refiner.config)
        return [config for config in configs if isinstance(config, GeneratorConfig)]

    def coarse_inputs(self, inputs: tuple[str, ...]) -> tuple[str, ...]:
        """Return the input images that the coarse generator sees: a baseline, only those it requires."""
        return inputs if trains(self.coarse) else self._parts[0].required_inputs

    @property
    def required_inputs(self) -> tuple[str, ...]:
        """The inputs that either generator requires."""
        return tuple(dict.fromkeys(name for config in self._parts for name in config.required_inputs))

    @property
    def gives_alpha(self) -> bool:
        """Whether the refiner gives an alpha."""
        return gives_alpha(self.refiner)

    @property
    def export_error(self) -> str | None:
        """Why either generator cannot be exported."""
        return next((error for config in self._parts if (error := config.export_error)), None)

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return the sizes that both generators accept."""
        requirement = SizeRequirement()
        for config in self._parts:
            requirement = requirement.both(config.size_requirement(size))
        return requirement
