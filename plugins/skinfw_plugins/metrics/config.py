"""Configurations of the built-in metrics."""

from __future__ import annotations

from pydantic import Field

from skinfw.config import MetricConfig
from skinfw_plugins.fields import LpipsNet


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
        description="network whose features are compared; its authors say to measure with alex",
    )
