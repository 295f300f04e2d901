"""What the segmenter and the pose encoder of BodyPix share. Light: pydantic only."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from skinfw.config import ComponentConfig, SpecPath

MULTIPLIERS = (0.5, 0.75, 1.0)

Resolution = Annotated[
    int,
    Field(
        ge=65, le=2049, description="internal resolution: pixels of the longer side of the network's input"
    ),
]


def _known_multiplier(value: float) -> float:
    if value not in MULTIPLIERS:
        raise PydanticCustomError("multiplier", "must be 0.5, 0.75 or 1, the widths that were published")
    return value


class BodyPixNetwork(ComponentConfig):
    """Which BodyPix network runs, and at which resolution."""

    multiplier: Annotated[float, AfterValidator(_known_multiplier)] = Field(
        default=0.5,
        description="width of the MobileNetV1 whose weights are taken by name: 0.5, 0.75 or 1",
        json_schema_extra={"enum": list(MULTIPLIERS)},
    )
    stride: Literal[8, 16, 32] = Field(
        default=8,
        description="output stride: pixels of the network's input to one cell of its scores; less is finer",
    )
    resolution: Resolution = 513
    weights: SpecPath | None = Field(
        default=None,
        description="an ONNX file of BodyPix 2 with that stride, padded explicitly or not; null: by "
        "multiplier and stride, from SKINFW_WEIGHTS, the cache or the network",
    )
