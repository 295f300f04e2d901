"""Configurations of the segmentation networks."""

from __future__ import annotations

from pydantic import Field

from skinfw.components.config import SegmentationNetworkConfig
from skinfw_plugins.networks.smp_config import SmpConfig


class SmpNetworkConfig(SmpConfig, SegmentationNetworkConfig):
    """A decoder of segmentation-models-pytorch on an encoder of its own, of timm, or of BodyPix 2.

    Any size is accepted: images are padded to the encoder's stride by their edge, and cropped back.
    """

    dropout: float = Field(
        default=0.0, ge=0, lt=1, description="probability of dropout of the encoder's innermost channels"
    )
