"""Configurations of the built-in augmentations."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from skinfw.components.config import AugmentationConfig
from skinfw.components.field_names import FACE


def _check_order(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise PydanticCustomError("range", "the minimum must come first")
    return value


Scale = Annotated[float, Field(ge=0.25, le=4)]
Side = Annotated[float, Field(ge=0.25, le=1)]
Factor = Annotated[float, Field(ge=0, le=4)]
ScaleRange = Annotated[tuple[Scale, Scale], AfterValidator(_check_order)]
SideRange = Annotated[tuple[Side, Side], AfterValidator(_check_order)]
FactorRange = Annotated[tuple[Factor, Factor], AfterValidator(_check_order)]


class GeometricConfig(AugmentationConfig):
    """Base of the augmentations that move pixels."""

    geometric: ClassVar[bool] = True


class FlipConfig(GeometricConfig):
    """The mirror image: the person's right arm becomes the left one."""

    probability: float = Field(
        default=0.5, ge=0, le=1, description="fraction of the samples that are mirrored (pix2pix: 0.5)"
    )


class ScaleConfig(GeometricConfig):
    """The person scaled about the image center."""

    scale: ScaleRange = Field(
        default=(0.85, 1.15),
        description="minimum and maximum factor of width and height, drawn uniformly",
    )


class RotateConfig(GeometricConfig):
    """The person rotated about the image center."""

    degrees: float = Field(
        default=10.0, ge=0, le=180, description="maximum angle in degrees, either way, drawn uniformly"
    )


class TranslateConfig(GeometricConfig):
    """The person shifted within the image."""

    fraction: float = Field(
        default=0.08,
        ge=0,
        le=1,
        description="maximum shift along each axis, either way, as a fraction of the image's side",
    )


class AffineConfig(GeometricConfig):
    """Shear, scale, rotation and shift at once: interpolates once instead of four times."""

    scale: ScaleRange = Field(
        default=(0.85, 1.15),
        description="minimum and maximum factor of width and height, drawn uniformly",
    )
    degrees: float = Field(default=10.0, ge=0, le=180, description="maximum rotation in degrees")
    fraction: float = Field(
        default=0.08,
        ge=0,
        le=1,
        description="maximum shift along each axis, as a fraction of the image's side",
    )
    shear: float = Field(default=5.0, ge=0, le=45, description="maximum shear of each axis in degrees")


class CropConfig(GeometricConfig):
    """A crop of the image, enlarged to full size; keeps the aspect ratio."""

    side: SideRange = Field(
        default=(0.75, 1.0),
        description="minimum and maximum side of the crop, as a fraction of the image's; its position is "
        "random",
    )


class PadConfig(GeometricConfig):
    """The image made smaller, with background around it; keeps the aspect ratio."""

    side: SideRange = Field(
        default=(0.75, 1.0),
        description="minimum and maximum side of the smaller image, as a fraction of the original's; its "
        "position is "
        "drawn",
    )


class BrightnessConfig(AugmentationConfig):
    """More or less light on the person: every value times a factor."""

    factor: FactorRange = Field(
        default=(0.8, 1.2), description="minimum and maximum factor; 1 changes nothing, 0 is black"
    )


class ContrastConfig(AugmentationConfig):
    """The person's values moved away from their mean gray or towards it."""

    factor: FactorRange = Field(
        default=(0.8, 1.2), description="minimum and maximum factor; 1 changes nothing, 0 is one gray"
    )


class SaturationConfig(AugmentationConfig):
    """The person's colors moved away from gray of the same brightness or towards it."""

    factor: FactorRange = Field(
        default=(0.8, 1.2), description="minimum and maximum factor; 1 changes nothing, 0 is gray"
    )


class HueConfig(AugmentationConfig):
    """The person's colors, skin and clothes, rotated around the color wheel."""

    degrees: float = Field(
        default=8.0,
        ge=0,
        le=180,
        description="maximum rotation of the hue in degrees, either way; far beyond 10, skin turns green or "
        "violet",
    )


class SkinToneConfig(AugmentationConfig):
    """Lighter or darker skin, on the skin region and the face together.

    The whole face mask shifts, including eyes and hair within it; without a visible face only the skin does.
    """

    required_inputs: ClassVar[tuple[str, ...]] = (FACE,)

    lightness: float = Field(
        default=8.0,
        ge=0,
        le=50,
        description="maximum shift of CIELAB's L* (0 to 100), either way, drawn uniformly; a* and b* follow "
        "as in photographed skin (whose L* in 365 street photos is 56, with a standard deviation of 11)",
    )
    chroma: float = Field(
        default=2.0,
        ge=0,
        le=20,
        description="maximum additional shift of a* and b* (CIELAB units), either way, each drawn uniformly",
    )
