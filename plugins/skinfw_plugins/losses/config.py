"""Configurations of the built-in losses."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from skinfw.components.config import LossConfig, Size, SizeRequirement
from skinfw.components.field_names import APPAREL, FACE, SKIN
from skinfw.components.measured_region import REGION_DESCRIPTION, Region
from skinfw.components.weights import WeightsFile
from skinfw_plugins.networks.published_files import ENCODER_FILES, LPIPS_NETWORKS, TORCHVISION
from skinfw_plugins.shared.fields import (
    LPIPS_MIN_SIDE,
    ImagenetEncoderName,
    LpipsNet,
    MsSsimScales,
    ms_ssim_min_side,
)


class L1Config(LossConfig):
    """Mean absolute difference (the report's section 5.2.3.3)."""

    weight: float = Field(
        default=1.0,
        ge=0,
        description="weight of this term in the sum of losses (pix2pix paper: 100 with a gan term of 1)",
    )


class MseConfig(LossConfig):
    """Mean squared difference (the report's section 5.2.1.4)."""


class PsnrConfig(LossConfig):
    """Peak signal-to-noise ratio in dB, negated (the report's section 6.1.2 for the ratio)."""

    floor: float = Field(
        default=1e-4,
        gt=0,
        description="added to each image's mean squared error, for values in [0, 1]: it caps the gain at 40 "
        "dB (1e-4) and keeps the gradient finite",
    )
    balance: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="how much more unusually dark and light regions count, to paint dark skin less light and "
        "light skin less dark: an image weighs exp(balance * z^2 / 2), at most 8, where z is how many "
        "standard deviations the region's mean L* is from the mean in street photos; at 1, all lightnesses "
        "there count the same",
    )


class CharbonnierConfig(LossConfig):
    """Mean absolute difference, smooth at 0 (Charbonnier et al. 1994; Lai et al. 2017, section 3.2)."""

    eps: float = Field(
        default=1e-3,
        gt=0,
        description="difference below which it is smooth, for values in [0, 1] (Lai et al. 2017: 1e-3)",
    )


class SsimConfig(LossConfig):
    """Structural dissimilarity, 1 - SSIM, window of 11 pixels (Wang et al. 2004)."""

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return the sizes that hold a window."""
        return SizeRequirement(minimum=11)


class MsSsimConfig(LossConfig):
    """Structural dissimilarity on several scales, 1 - MS-SSIM (Wang et al. 2003)."""

    scales: MsSsimScales = 5

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return the sizes that hold a window on the coarsest scale."""
        return SizeRequirement(minimum=ms_ssim_min_side(self.scales))


class LpipsConfig(LossConfig):
    """Learned perceptual distance, LPIPS 0.1 (Zhang et al. 2018); its network's weights are downloaded."""

    net: LpipsNet = Field(
        default="vgg",
        description="network whose features are compared; the authors recommend vgg for training",
    )

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return the sizes that leave at least one pixel for the last layer."""
        return SizeRequirement(minimum=LPIPS_MIN_SIDE[self.net])

    def published_files(self) -> tuple[WeightsFile, ...]:
        """Return the weights of its network. See `ComponentConfig.published_files`."""
        return (TORCHVISION[LPIPS_NETWORKS[self.net]],)


_VGG_BLOCKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
"""Convolutions between two halvings (Simonyan and Zisserman 2015, table 1)."""


_STAGES = {f"stage{stage}": stage - 1 for stage in range(1, 6)}
"""The outputs of an encoder at each of its sizes."""


class PerceptualConfig(LossConfig):
    """Difference of features of a network (Johnson et al. 2016), whose weights are downloaded."""

    net: Literal["vgg16", "vgg19"] | ImagenetEncoderName = Field(
        default="vgg16", description="network trained on ImageNet whose features are compared"
    )
    layers: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="layers, weighted equally; later ones see content and less color. Of a VGG: "
        "relu<block>_<convolution> (Johnson et al. 2016: relu3_3 for content); of the others: stage1 to "
        "stage5, each half the size of the one before. null: relu1_2, relu2_2, relu3_3 and relu4_3 (the "
        "paper's four for style), or stage1 to stage4",
    )
    distance: Literal["l1", "l2"] = Field(
        default="l1",
        description="mean absolute difference (pix2pixHD) or mean squared difference (Johnson et al. 2016)",
    )

    @field_validator("layers")
    @classmethod
    def _check_layers(cls, value: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if value is None:
            return value
        known = _places(info.data["net"]) if "net" in info.data else {}
        unknown = [name for name in value if known and name not in known]
        if unknown:
            raise PydanticCustomError(
                "layers", f"{info.data['net']} has no layer {unknown[0]!r} (allowed: {', '.join(known)})"
            )
        if len(set(value)) != len(value):
            raise PydanticCustomError("layers", "duplicate layer; name each once")
        return value

    @property
    def places(self) -> tuple[int, ...]:
        """The index of each layer: of a VGG in torchvision's ``features``, of the others among the stages."""
        known = _places(self.net)
        return tuple(known[name] for name in self.layers or _DEFAULT_LAYERS[self.net in _VGG_BLOCKS])

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return the sizes that leave at least one pixel for the last block; the encoders accept all."""
        if self.net not in _VGG_BLOCKS:
            return SizeRequirement()
        names = {place: name for name, place in _places(self.net).items()}
        return SizeRequirement(minimum=2 ** (int(names[max(self.places)][len("relu")]) - 1))

    def published_files(self) -> tuple[WeightsFile, ...]:
        """Return the weights of its network. See `ComponentConfig.published_files`."""
        if self.net == "vgg16" or self.net == "vgg19":
            return (TORCHVISION[self.net],)
        return (ENCODER_FILES[self.net],)


_DEFAULT_LAYERS = {
    True: ("relu1_2", "relu2_2", "relu3_3", "relu4_3"),
    False: ("stage1", "stage2", "stage3", "stage4"),
}
"""The layers of a VGG, and of other networks."""


def _places(net: str) -> dict[str, int]:
    """Return the index of each stage of an encoder, or of each activation among a VGG's layers."""
    if net not in _VGG_BLOCKS:
        return _STAGES
    places: dict[str, int] = {}
    place = 0
    for block, count in enumerate(_VGG_BLOCKS[net], start=1):
        for convolution in range(1, count + 1):
            places[f"relu{block}_{convolution}"] = place + 1
            place += 2  # the convolution and its activation
        place += 1  # the halving
    return places


class TotalVariationConfig(LossConfig):
    """Mean absolute difference of neighboring pixels of the output (Rudin et al. 1992)."""

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return the sizes in which every pixel has a neighbor along both axes."""
        return SizeRequirement(minimum=2)


class ColorConfig(LossConfig):
    """Mean and covariance of colors in CIE Lab, output against target, image by image."""

    region: Region = Field(default="skin", description=f"pixels that count: {REGION_DESCRIPTION}")
    covariance: float = Field(
        default=1.0,
        ge=0,
        description="weight of the covariances' difference relative to that of the means; 0: means only",
    )


class AlphaLossConfig(LossConfig):
    """Base of the losses that compare a generator's alpha with the true skin."""

    reads_alpha: ClassVar[bool] = True
    required_inputs: ClassVar[tuple[str, ...]] = (SKIN,)

    region: Region = Field(default="mask", description=f"pixels that count: {REGION_DESCRIPTION}")


class AlphaCrossEntropyConfig(AlphaLossConfig):
    """Cross-entropy of a generator's alpha and the true skin."""


class AlphaDiceConfig(AlphaLossConfig):
    """Overlap of a generator's alpha with the true skin, image by image (Milletari et al. 2016)."""


class ToneConsistencyConfig(LossConfig):
    """Inpainted skin in the color of the visible face, in CIE Lab; needs the input face."""

    required_inputs: ClassVar[tuple[str, ...]] = (APPAREL, FACE)

    region: Literal["skin"] = Field(default="skin", description="pixels that count: the inpainted skin")
    lightness: float = Field(
        default=1.0,
        ge=0,
        description="weight of lightness relative to a and b; 0: color only, for light that differs between "
        "face and body",
    )
    covariance: float = Field(
        default=0.0,
        ge=0,
        description="weight of the difference in covariance from the visible face's pixels; 0: means only",
    )
