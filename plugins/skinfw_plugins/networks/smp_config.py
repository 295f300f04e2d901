"""Base of the configurations of segmentation-models-pytorch's networks. Light: pydantic only."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from skinfw.components.config import ComponentConfig, HubWeights
from skinfw.components.outside import KEEPS_VARIABLES, Outside, resolve_text
from skinfw.components.weights import WeightsFile
from skinfw_plugins.networks.bodypix_config import SHA256, weights_file
from skinfw_plugins.networks.published_files import ENCODER_FILES
from skinfw_plugins.shared.fields import MAX_CHANNELS

WEIGHTS_SUFFIX = ".safetensors"
"""Suffix of a weights file without pickled data."""

ONNX_SUFFIX = ".onnx"
"""Suffix of a BodyPix 2 file."""

BODYPIX = "bodypix"
"""The weights of BodyPix 2 by name."""

BODYPIX_ENCODERS = {f"bodypix_{percent:03}": percent / 100 for percent in (50, 75, 100)}
"""Multipliers of BodyPix 2's encoders by name."""

BODYPIX_STRIDE = 8
"""Output stride of the file that is found by name, the default elsewhere; 16 has the same weights."""

BODYPIX_DEPTH = 4
"""Stages of BodyPix 2's encoders."""


class SmpConfig(ComponentConfig):
    """A decoder of segmentation-models-pytorch on an encoder of that library, timm or BodyPix 2."""

    decoder: Literal["unet", "unetplusplus", "fpn", "deeplabv3plus", "manet", "linknet"] = Field(
        default="unet",
        description="unet (Ronneberger et al. 2015), unetplusplus (Zhou et al. 2018), fpn (Kirillov et al. "
        "2019), deeplabv3plus (Chen et al. 2018), manet (Fan et al. 2020) or linknet (Chaurasia et al. 2017)",
    )
    encoder: str = Field(
        default="resnet34",
        min_length=1,
        description="an encoder of segmentation-models-pytorch, such as resnet34; tu- and the name of a "
        "timm model that returns features at several scales, such as tu-convnext_tiny; or the "
        "backbone of BodyPix 2 (MobileNetV1, encoder_depth 4 at most), such as bodypix_050",
    )
    encoder_weights: Annotated[str | None, KEEPS_VARIABLES, Outside("path", training=True)] = Field(
        default=None,
        validate_default=True,
        description="weights that the encoder starts from, such as imagenet, or the path of a .safetensors "
        "file; unset: random weights. For a timm model, imagenet means the weights of the tag in "
        "its name, such as tu-resnet18.a1_in1k, or timm's default ones. For a BodyPix encoder: bodypix, or "
        "the path of an .onnx file of BodyPix 2. Loaded when training begins, never with a checkpoint",
    )
    encoder_depth: int = Field(
        default=5, ge=3, le=5, validate_default=True, description="how often the encoder halves the image"
    )
    base_channels: int = Field(
        default=16,
        ge=1,
        le=MAX_CHANNELS,
        validate_default=True,
        description="channels of the decoder at full size; doubled at each halving. fpn and deeplabv3plus "
        "have 16 times as many at all scales (fpn needs a multiple of 4); linknet uses its "
        "encoder's channels",
    )

    @field_validator("encoder_weights")
    @classmethod
    def _check_weights(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None or "encoder" not in info.data:  # already reported
            return value
        encoder = str(info.data["encoder"])
        if (encoder in BODYPIX_ENCODERS) != (value == BODYPIX or value.endswith(ONNX_SUFFIX)):
            other = f'weights such as "imagenet" or the path of a {WEIGHTS_SUFFIX} file'
            own = f'"{BODYPIX}" or the path of an {ONNX_SUFFIX} file of BodyPix 2'
            if encoder in BODYPIX_ENCODERS:
                raise PydanticCustomError(
                    "weights", f"{encoder} accepts {own}, or null; others accept {other}"
                )
            raise PydanticCustomError(
                "weights", f"{encoder} accepts {other}, or null; {', '.join(BODYPIX_ENCODERS)} accept {own}"
            )
        if value == BODYPIX and (BODYPIX_ENCODERS[encoder], BODYPIX_STRIDE) not in SHA256:
            raise PydanticCustomError(
                "weights",
                f"no weights of {encoder} are known by name; give the path of an {ONNX_SUFFIX} file",
            )
        if value.endswith((WEIGHTS_SUFFIX, ONNX_SUFFIX)):
            return resolve_text(value, info)
        if value != "imagenet" and encoder.startswith("tu-"):
            raise PydanticCustomError(
                "weights",
                'a timm encoder accepts "imagenet" or null; choose other weights in encoder, such as '
                "tu-resnet18.a1_in1k",
            )
        return value

    @field_validator("encoder_depth")
    @classmethod
    def _check_depth(cls, value: int, info: ValidationInfo) -> int:
        if info.data.get("encoder") in BODYPIX_ENCODERS and value > BODYPIX_DEPTH:
            raise PydanticCustomError(
                "depth", f"BodyPix's encoders have {BODYPIX_DEPTH} stages: set encoder_depth to 3 or 4"
            )
        return value

    @field_validator("base_channels")
    @classmethod
    def _check_channels(cls, value: int, info: ValidationInfo) -> int:
        if info.data.get("decoder") == "fpn" and value % 4:
            raise PydanticCustomError("channels", "the decoder fpn needs a multiple of 4")
        return value

    def published_files(self) -> tuple[WeightsFile, ...]:
        """Return the file of BodyPix that is found by name. See `ComponentConfig.published_files`."""
        by_name = self.encoder_weights == BODYPIX
        return (weights_file(BODYPIX_ENCODERS[self.encoder], BODYPIX_STRIDE),) if by_name else ()

    def known_files(self) -> tuple[WeightsFile, ...]:
        """Return the files of encoders with known hashes. See `ComponentConfig.known_files`."""
        bodypix = (weights_file(multiplier, stride) for multiplier, stride in SHA256)
        return (*bodypix, *ENCODER_FILES.values())

    def hub_weights(self) -> tuple[HubWeights, ...]:
        """Return the weights that timm or the library loads. See `ComponentConfig.hub_weights`."""
        weights = self.encoder_weights
        if weights is None or weights == BODYPIX or weights.endswith((WEIGHTS_SUFFIX, ONNX_SUFFIX)):
            return ()
        return (HubWeights(f"{self.encoder}.{weights}"),)
