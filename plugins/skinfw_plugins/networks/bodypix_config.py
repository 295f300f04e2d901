"""What the segmenter and the pose encoder of BodyPix share. Light: pydantic only."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from skinfw.components.config import ComponentConfig
from skinfw.components.outside import SpecPath
from skinfw.components.weights import WeightsFile

MULTIPLIERS = (0.5, 0.75, 1.0)

SHA256: dict[tuple[float, int], str] = {
    (0.5, 8): "531ab299ec72400c82ea3365a5024ed56112b89222a74f4b7ee4a46567e441b9",
    (0.5, 16): "fa595945448a568ca69d2645cd308db608c0af9afcbdb3b26b6f42456ecbb684",
}
"""Hashes of the weights that are found by name, by multiplier and output stride; others need a path."""

PADDED = {(0.5, 8): "620fc0b58f823092431d9c5de76209b4dd11ad2a50db6549869aee77964e8808"}
"""Hashes of the same networks with explicit padding of their dilated convolutions, which are also
accepted."""

_PLACE = (
    "https://github.com/keijiro/BodyPixSentis/raw/b712dd916b2819e2210fa0367b76073634d2fddf/"
    "Packages/jp.keijiro.bodypix/ONNX"
)
_BY_NAME = " and ".join(f"{multiplier:g} with stride {stride}" for multiplier, stride in SHA256)

Resolution = Annotated[
    int,
    Field(
        ge=65, le=2049, description="internal resolution: pixels of the longer side of the network's input"
    ),
]


def weights_file(multiplier: float, stride: int) -> WeightsFile:
    """Return the published weights of a network whose hash is in `SHA256`."""
    percent = f"{round(multiplier * 100):03d}"
    return WeightsFile(
        f"mobilenet_v1_{percent}_stride{stride}.onnx",
        f"{_PLACE}/MobileNetV1-x{percent}-stride{stride}.onnx",
        SHA256[multiplier, stride],
        f"BodyPix 2 (MobileNetV1, multiplier {multiplier:g}, stride {stride})",
        "Apache-2.0",
        "https://github.com/tensorflow/tfjs-models/blob/master/LICENSE",
        cache="skinfw",
        also=(PADDED[multiplier, stride],) if (multiplier, stride) in PADDED else (),
    )


def _known_multiplier(value: float) -> float:
    if value not in MULTIPLIERS:
        raise PydanticCustomError("multiplier", "must be 0.5, 0.75 or 1, the published widths")
    return value


class BodyPixNetwork(ComponentConfig):
    """Which BodyPix network runs, and at which resolution."""

    multiplier: Annotated[float, AfterValidator(_known_multiplier)] = Field(
        default=0.5,
        description="width of the MobileNetV1, 0.5, 0.75 or 1: chooses the file if weights is null",
        json_schema_extra={"enum": list(MULTIPLIERS)},
    )
    stride: Literal[8, 16, 32] = Field(
        default=8,
        description="output stride: pixels of the network's input per cell of its scores; smaller is finer",
    )
    resolution: Resolution = 513
    weights: SpecPath | None = Field(
        default=None,
        description="an ONNX file of BodyPix 2 with that stride, with explicit padding or without; null: "
        "from "
        f"SKINFW_WEIGHTS, the cache or the network, which know multiplier {_BY_NAME}",
    )

    @model_validator(mode="after")
    def _have_weights(self) -> Self:
        if self.weights is None and (self.multiplier, self.stride) not in SHA256:
            raise PydanticCustomError(
                "weights",
                f"no weights are known by name for multiplier {self.multiplier:g} with stride {self.stride} "
                f"(known: {_BY_NAME}); export them to ONNX and set weights to the file",
            )
        return self

    def published_files(self) -> tuple[WeightsFile, ...]:
        """Return the file that is found by name. See `ComponentConfig.published_files`."""
        return () if self.weights else (weights_file(self.multiplier, self.stride),)

    def known_files(self) -> tuple[WeightsFile, ...]:
        """Return all files with known hashes. See `ComponentConfig.known_files`."""
        return tuple(weights_file(multiplier, stride) for multiplier, stride in SHA256)
