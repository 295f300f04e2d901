"""Configurations of the built-in generators."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from skinfw.config import GeneratorConfig, Size, SizeRequirement
from skinfw.inputs import APPAREL, FACE, SKIN
from skinfw_plugins.fields import Norm

LEAST_HALVINGS = 3
"""A U-Net whose depth follows the size halves it at least so often; sides must be multiples of 8 pixels."""


def _halvings(size: Size) -> int:
    """Return how often both sides can be halved without a remainder."""
    height, width = size
    # the lowest set bit of a number is the largest power of two that divides it
    shared = height | width
    return (shared & -shared).bit_length() - 1


class Pix2PixConfig(GeneratorConfig):
    """The U-Net of pix2pix (Isola et al. 2017, section 6.1.1; the report's section 5.2.3.1).

    The report's generator is deterministic, hence no dropout by default.
    """

    base_channels: int = Field(
        default=64, ge=1, description="channels after the first convolution; they double up to 8 times this"
    )
    depth: int | None = Field(
        default=None,
        ge=1,
        le=16,
        description="how often the picture is halved; unset: as often as the size allows, at least 3 times, "
        "which is down to 1x1 for a power of two",
    )
    norm: Norm = Field(default="batch", description="normalisation after convolutions")
    dropout: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="probability of dropout in the three innermost up blocks, in training only "
        "(0.5 in the pix2pix paper; none in the report)",
    )

    def depth_for(self, size: Size) -> int:
        """Return how often a network built for ``size`` (height, width) halves its pictures."""
        return self.depth if self.depth is not None else max(LEAST_HALVINGS, _halvings(size))

    def size_requirement(self, size: Size) -> SizeRequirement:
        """Return the sizes that a network built for ``size`` accepts: multiples of its stride."""
        stride = 2 ** self.depth_for(size)
        return SizeRequirement(minimum=stride, multiple_of=stride)


class FillConfig(GeneratorConfig):
    """What baselines that fill the skin region have in common."""

    trainable: ClassVar[bool] = False
    required_inputs: ClassVar[tuple[str, ...]] = (APPAREL, SKIN)


class InpaintConfig(FillConfig):
    """Classical inpainting as OpenCV does it; nothing to train."""

    margin: int = Field(
        default=3,
        ge=0,
        le=100,
        description="pixels around the skin in which erased (white) ones are filled too, at least the spec's "
        "composite_margin: preparation erases a ring around the skin, whose white would flow in",
    )
    method: Literal["telea", "navier_stokes"] = Field(
        default="telea",
        description="telea (fast marching, Telea 2004) or navier_stokes (Bertalmio et al. 2001)",
    )
    radius: float = Field(
        default=3.0,
        gt=0,
        le=100,
        description="radius in pixels around each pixel that it is made from",
    )


class ToneConfig(FillConfig):
    """One colour for the whole skin: the median of the face, a robust mean; nothing to train."""

    required_inputs: ClassVar[tuple[str, ...]] = (APPAREL, FACE, SKIN)
