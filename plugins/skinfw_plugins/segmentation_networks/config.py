"""Configurations of the segmentation networks."""

from __future__ import annotations

from pydantic import Field

from skinfw.components.config import SegmentationNetworkConfig
from skinfw_plugins.networks.smp_config import SmpConfig


class SmpNetworkConfig(SmpConfig, SegmentationNetworkConfig):
    """A decoder of segmentation-models-pytorch on an encoder of that library, timm or BodyPix 2.

    It accepts any size: images are padded to the encoder's stride by repeating their edge, and cropped back.
    """

    dropout: float = Field(
        default=0.0, ge=0, lt=1, description="dropout probability of the encoder's innermost channels"
    )
