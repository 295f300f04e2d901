"""What the configurations of DCGAN's two networks share. Light: no torch."""

from __future__ import annotations

from pydantic import Field

from skinfw.components.config import Size, SizeRequirement
from skinfw.components.strict_model import StrictModel
from skinfw_plugins.shared.fields import MAX_CHANNELS, Norm

SEED_SIDE = 4
"""Minimum side in pixels of the innermost features (Radford et al. 2016, figure 1)."""


class DcganLayers(StrictModel):
    """The number of layers of each network, and their width.

    Both halve or double the image equally often, so each layer of one is the transpose of a layer of the
    other (the report's section 5.2.2.1). The innermost features, the seed, are 4 to 7 pixels on their shorter
    side: 4x4 for a square power of two, 4x6 for 64x96.
    """

    base_channels: int = Field(
        default=64,
        ge=1,
        le=MAX_CHANNELS,
        description="channels of the finest features; they double inwards up to max_channels (128 for the "
        "network of the paper's figure 1, which generates 64x64 pixels)",
    )
    max_channels: int = Field(
        default=1024,
        ge=1,
        le=MAX_CHANNELS,
        description="maximum number of channels (paper: 1024), so that networks for large images fit into "
        "memory",
    )
    norm: Norm = Field(
        default="batch", description="normalization after inner convolutions (paper, report: batch)"
    )

    def halvings(self, size: Size) -> int:
        """Return how often images of ``size`` (height, width) are halved down to the seed."""
        return max(1, (min(size) // SEED_SIDE).bit_length() - 1)

    def seed(self, size: Size) -> Size:
        """Return height and width of the innermost features for images of ``size``."""
        height, width = size
        factor = 2 ** self.halvings(size)
        return height // factor, width // factor

    def channels(self, size: Size) -> list[int]:
        """Return the channels of the features, from the finest to the seed."""
        return [min(self.base_channels * 2**level, self.max_channels) for level in range(self.halvings(size))]

    def dcgan_requirement(self, size: Size) -> SizeRequirement:
        """Return what a network built for ``size`` accepts: that size, if it can be halved to the seed."""
        factor = 2 ** self.halvings(size)
        return SizeRequirement(minimum=2 * SEED_SIDE, multiple_of=factor, exactly=size)
