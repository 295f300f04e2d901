"""Which network of segmentation-models-pytorch: what configurations built on them share. Light: pydantic."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from skinfw.config import ComponentConfig, resolve_path

WEIGHTS_SUFFIX = ".safetensors"
"""What names a file of weights, in which nothing is pickled."""


class SmpConfig(ComponentConfig):
    """A decoder of segmentation-models-pytorch on an encoder of timm or of its own."""

    decoder: Literal["unet", "unetplusplus", "fpn", "deeplabv3plus", "manet", "linknet"] = Field(
        default="unet",
        description="unet (Ronneberger et al. 2015), unetplusplus (Zhou et al. 2018), fpn (Kirillov et al. "
        "2019), deeplabv3plus (Chen et al. 2018), manet (Fan et al. 2020) or linknet (Chaurasia et al. 2017)",
    )
    encoder: str = Field(
        default="resnet34",
        min_length=1,
        description="an encoder of segmentation-models-pytorch, such as resnet34, or tu- and the name of a "
        "timm model that gives features at several scales, such as tu-convnext_tiny",
    )
    encoder_weights: str | None = Field(
        default=None,
        validate_default=True,
        description="weights that the encoder starts from, such as imagenet; unset: random ones. For a timm "
        "model imagenet means the weights that the tag in its name tells, such as tu-resnet18.a1_in1k, or "
        "timm's default ones. Or the path of a .safetensors file of the encoder's weights. Loaded when "
        "training begins, never with a checkpoint",
    )
    encoder_depth: int = Field(default=5, ge=3, le=5, description="how often the encoder halves the picture")
    base_channels: int = Field(
        default=16,
        ge=1,
        validate_default=True,
        description="channels of the decoder at the picture's size; twice as many at each halving. fpn and "
        "deeplabv3plus have 16 times as many at all scales (fpn needs a multiple of 4); linknet goes by its "
        "encoder's channels alone",
    )

    @field_validator("encoder_weights")
    @classmethod
    def _check_weights(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and value.endswith(WEIGHTS_SUFFIX):
            return str(resolve_path(Path(value), info))
        if value not in (None, "imagenet") and str(info.data.get("encoder")).startswith("tu-"):
            raise PydanticCustomError(
                "weights",
                'a timm encoder takes "imagenet" or null; name other weights in encoder, such as '
                "tu-resnet18.a1_in1k",
            )
        return value

    @field_validator("base_channels")
    @classmethod
    def _check_channels(cls, value: int, info: ValidationInfo) -> int:
        if info.data.get("decoder") == "fpn" and value % 4:
            raise PydanticCustomError("channels", "the decoder fpn needs a multiple of 4")
        return value
