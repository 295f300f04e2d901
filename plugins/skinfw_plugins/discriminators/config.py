"""Configurations of the built-in discriminators."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from skinfw.components.config import DiscriminatorConfig, Size, SizeRequirement
from skinfw_plugins.networks.dcgan_config import DcganLayers
from skinfw_plugins.shared.fields import MAX_CHANNELS, Norm, SpectralNorm


def _halvings(patch: int) -> int:
    """Return how many convolutions of stride 2 a patch size needs, rounded down; 0 for none."""
    return max(((patch + 2) // 9).bit_length() - 1, 0)


def _check_patch(patch: int) -> int:
    halvings = _halvings(patch)
    below = 9 * 2**halvings - 2 if halvings else 1
    if patch != below:
        raise PydanticCustomError(
            "patch",
            f"no PatchGAN has a patch of {patch} pixels; the nearest sizes are {below} and "
            f"{9 * 2 ** (halvings + 1) - 2} (allowed: 1, 16, 34, 70, 142, 286, ...: 9 * 2**n - 2)",
        )
    return patch


Patch = Annotated[int, Field(ge=1, le=16384), AfterValidator(_check_patch)]
"""Side in pixels of a patch that a PatchGAN can score: ``9 * 2**n - 2`` for n = 1, 2, 3, ..., and 1."""


class PatchGanConfig(DiscriminatorConfig):
    """The PatchGAN of pix2pix (Isola et al. 2017, section 6.1.2; the report's section 5.2.3.2 and annex)."""

    patch: Patch = Field(
        default=70,
        description="side in pixels of the square that one logit scores: 1, 16, 34, 70, 142, 286, ..., 9 * "
        "2**n - 2 for n halvings (70 in the pix2pix paper, 142 in the report's annex)",
    )
    base_channels: int = Field(
        default=64,
        ge=1,
        le=MAX_CHANNELS,
        description="channels after the first convolution; doubled at each halving, up to 8 times this",
    )
    norm: Norm = Field(default="batch", description="normalization after the inner convolutions")
    spectral_norm: SpectralNorm = False

    @property
    def uses_batch_statistics(self) -> bool:
        """Whether it has batch normalization."""
        return self.norm == "batch"

    @property
    def halvings(self) -> int:
        """The number of convolutions of stride 2; 0 for the 1x1 network."""
        return _halvings(self.patch)

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return the sizes that leave at least one logit.

        With patch 1, a normalization needs more than one pixel for its statistics.
        """
        # each of the last two convolutions shortens each side by one pixel
        return SizeRequirement(minimum=2 if self.patch == 1 else 3 * 2**self.halvings)


class MultiscaleConfig(PatchGanConfig):
    """PatchGANs on several scales of the image (Wang et al. 2018, pix2pixHD, section 3.2)."""

    scales: int = Field(
        default=3,
        ge=1,
        le=8,
        description="number of discriminators; each sees the image at half the size of the one before "
        "(pix2pixHD: 3)",
    )

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return the sizes that leave at least one logit on the coarsest scale."""
        least = super().size_requirement(size).minimum
        # halving rounds up
        return SizeRequirement(minimum=(least - 1) * 2 ** (self.scales - 1) + 1)


class DcganDiscriminatorConfig(DcganLayers, DiscriminatorConfig):
    """The discriminator of DCGAN (Radford et al. 2016, section 3; the report's section 5.2.2)."""

    conditional: bool = Field(
        default=False, description="score the image together with the input images (paper, report: no)"
    )
    spectral_norm: SpectralNorm = False

    @property
    def uses_batch_statistics(self) -> bool:
        """Whether it has batch normalization."""
        return self.norm == "batch"

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return the only size that a network built for ``size`` accepts, if it can be halved."""
        return self.dcgan_requirement(size)
