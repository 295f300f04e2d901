"""Configurations of the built-in augmentations."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from skinfw.components.config import AugmentationConfig
from skinfw.components.field_names import FACE


def _check_order(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise PydanticCustomError("range", "the least value stands first")
    return value


Scale = Annotated[float, Field(ge=0.25, le=4)]
Side = Annotated[float, Field(ge=0.25, le=1)]
Factor = Annotated[float, Field(ge=0, le=4)]
ScaleRange = Annotated[tuple[Scale, Scale], AfterValidator(_check_order)]
SideRange = Annotated[tuple[Side, Side], AfterValidator(_check_order)]
FactorRange = Annotated[tuple[Factor, Factor], AfterValidator(_check_order)]


class GeometricConfig(AugmentationConfig):
    """What augmentations that move pixels have in common."""

    geometric: ClassVar[bool] = True


class FlipConfig(GeometricConfig):
    """The mirror image: what was the person's right arm is the left one then."""

    probability: float = Field(
        default=0.5, ge=0, le=1, description="fraction of the samples that it mirrors (pix2pix: 0.5)"
    )


class ScaleConfig(GeometricConfig):
    """The person larger or smaller, about the middle of the image."""

    scale: ScaleRange = Field(
        default=(0.85, 1.15),
        description="least and greatest factor of width and height, drawn evenly between",
    )


class RotateConfig(GeometricConfig):
    """The person turned about the middle of the image."""

    degrees: float = Field(
        default=10.0, ge=0, le=180, description="greatest angle in degrees, either way, drawn evenly"
    )


class TranslateConfig(GeometricConfig):
    """The person elsewhere in the image."""

    fraction: float = Field(
        default=0.08,
        ge=0,
        le=1,
        description="greatest shift along each axis, either way, as a fraction of the image's side",
    )


class AffineConfig(GeometricConfig):
    """Sheared, scaled, turned and shifted at once: interpolated once instead of four times."""

    scale: ScaleRange = Field(
        default=(0.85, 1.15),
        description="least and greatest factor of width and height, drawn evenly between",
    )
    degrees: float = Field(default=10.0, ge=0, le=180, description="greatest angle of the turn in degrees")
    fraction: float = Field(
        default=0.08,
        ge=0,
        le=1,
        description="greatest shift along each axis, as a fraction of the image's side",
    )
    shear: float = Field(
        default=5.0, ge=0, le=45, description="greatest angle in degrees by which each axis is sheared"
    )


class CropConfig(GeometricConfig):
    """A part of the image, enlarged to the whole; the aspect stays."""

    side: SideRange = Field(
        default=(0.75, 1.0),
        description="least and greatest side of the part, as a fraction of the image's; its place is drawn",
    )


class PadConfig(GeometricConfig):
    """The image made smaller, with background around it; the aspect stays."""

    side: SideRange = Field(
        default=(0.75, 1.0),
        description="least and greatest side of the smaller image, as a fraction of the whole's; its "
        "place is "
        "drawn",
    )


class BrightnessConfig(AugmentationConfig):
    """More or less light on the person: every value times a factor."""

    factor: FactorRange = Field(
        default=(0.8, 1.2), description="least and greatest factor; 1 changes nothing, 0 is black"
    )


class ContrastConfig(AugmentationConfig):
    """The person's values pulled away from their mean gray, or towards it."""

    factor: FactorRange = Field(
        default=(0.8, 1.2), description="least and greatest factor; 1 changes nothing, 0 is one gray"
    )


class SaturationConfig(AugmentationConfig):
    """The person's colors pulled away from gray of the same brightness, or towards it."""

    factor: FactorRange = Field(
        default=(0.8, 1.2), description="least and greatest factor; 1 changes nothing, 0 is gray"
    )


class HueConfig(AugmentationConfig):
    """The person's colors turned round the color wheel, skin as well as clothes."""

    degrees: float = Field(
        default=8.0,
        ge=0,
        le=180,
        description="greatest turn of the hue in degrees, either way; far beyond 10 skin is green or violet",
    )


class SkinToneConfig(AugmentationConfig):
    """Lighter or darker skin, on the skin region and the face together.

    All of the face mask shifts, eyes and hair within it too; without a visible face the skin alone does.
    """

    required_inputs: ClassVar[tuple[str, ...]] = (FACE,)

    lightness: float = Field(
        default=8.0,
        ge=0,
        le=50,
        description="greatest shift of CIELAB's L* (0 to 100), either way, drawn evenly; a* and b* follow as "
        "they do in photographed skin (whose L* in 365 street photos is 56, with a standard deviation of 11)",
    )
    chroma: float = Field(
        default=2.0,
        ge=0,
        le=20,
        description="greatest further shift of a* and of b* (CIELAB units), either way, each drawn evenly",
    )
