"""Configurations of the built-in metrics."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from skinfw.components.config import MetricConfig
from skinfw.components.measured_region import Region
from skinfw.components.weights import WeightsFile
from skinfw_plugins.networks.published_files import ENCODER_FILES, INCEPTION, LPIPS_NETWORKS, TORCHVISION
from skinfw_plugins.shared.fields import ImagenetEncoderName, LpipsNet, MsSsimScales


class MseConfig(MetricConfig):
    """Mean squared error (the report's section 6.1.2)."""


class PsnrConfig(MetricConfig):
    """Peak signal-to-noise ratio (the report's section 6.1.2)."""


class SsimConfig(MetricConfig):
    """Structural similarity with the original's Gaussian window of 11 pixels (the report's section 6.1.2)."""


class LpipsConfig(MetricConfig):
    """Learned perceptual distance, LPIPS 0.1 (Zhang et al. 2018); its network's weights are downloaded."""

    net: LpipsNet = Field(
        default="alex",
        description="network whose features are compared; the authors recommend alex for evaluation",
    )

    def published_files(self) -> tuple[WeightsFile, ...]:
        """Return the weights of its network. See `ComponentConfig.published_files`."""
        return (TORCHVISION[LPIPS_NETWORKS[self.net]],)


class MaeConfig(MetricConfig):
    """Mean absolute error."""


class MsSsimConfig(MetricConfig):
    """Structural similarity on several scales (Wang et al. 2003)."""

    regions: tuple[Literal["image"], ...] = Field(
        default=("image",), min_length=1, description="regions that it is computed on: the whole image"
    )
    scales: MsSsimScales = 5


class Ciede2000Config(MetricConfig):
    """Color difference CIEDE2000 (CIE 142-2001; Sharma, Wu and Dalal 2005)."""

    regions: tuple[Region, ...] = Field(
        default=("skin",), min_length=1, description="regions that it is computed on, each separately"
    )


class ToneBiasConfig(MetricConfig):
    """Lightness of the painted skin minus that of the true skin."""

    regions: tuple[Region, ...] = Field(
        default=("skin",), min_length=1, description="regions that it is computed on, each separately"
    )


class SeamConfig(MetricConfig):
    """Gradient error around the border of the skin."""

    regions: tuple[Literal["skin"], ...] = Field(
        default=("skin",), min_length=1, description="regions that it is computed on: the skin, at its border"
    )
    band: int = Field(
        default=2, ge=1, le=64, description="pixels on either side of the skin's border that count"
    )


class DetailConfig(MetricConfig):
    """Fine structure of the skin: energy of the highest octave over the true one."""

    regions: tuple[Region, ...] = Field(
        default=("skin",), min_length=1, description="regions that it is computed on, each separately"
    )


class AlphaIouConfig(MetricConfig):
    """Overlap of the skin that a generator with alpha finds with the true skin."""

    measures_alpha: ClassVar[bool] = True

    regions: tuple[Region, ...] = Field(
        default=("mask",), min_length=1, description="regions that it is computed on, each separately"
    )


class FidConfig(MetricConfig):
    """Frechet inception distance (Heusel et al. 2017); its network's weights are downloaded."""

    regions: tuple[Literal["image"], ...] = Field(
        default=("image",), min_length=1, description="regions that it is computed on: the whole image"
    )

    def published_files(self) -> tuple[WeightsFile, ...]:
        """Return the weights of Inception-v3. See `ComponentConfig.published_files`."""
        return (INCEPTION,)


class KernelConfig(MetricConfig):
    """Base of the distances of two sets of images by a kernel."""

    regions: tuple[Literal["image"], ...] = Field(
        default=("image",), min_length=1, description="regions that it is computed on: the whole image"
    )
    subsets: int = Field(
        default=100, ge=1, le=100_000, description="random subsets of the images (paper: 100)"
    )
    subset_size: int = Field(
        default=1000,
        ge=2,
        le=1_000_000,
        description="images per subset; if there are fewer, they form one subset (paper: 1000)",
    )


class KidConfig(KernelConfig):
    """Kernel inception distance (Binkowski et al. 2018); its network's weights are downloaded."""

    def published_files(self) -> tuple[WeightsFile, ...]:
        """Return the weights of Inception-v3. See `ComponentConfig.published_files`."""
        return (INCEPTION,)


class KernelDistanceConfig(KernelConfig):
    """Distance like KID's in the features of a small encoder, whose weights are downloaded."""

    net: ImagenetEncoderName = Field(
        default="mobilenet_v2", description="encoder trained on ImageNet whose features are compared"
    )

    def published_files(self) -> tuple[WeightsFile, ...]:
        """Return the weights of the encoder. See `ComponentConfig.published_files`."""
        return (ENCODER_FILES[self.net],)
