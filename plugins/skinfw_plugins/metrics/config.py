"""Configurations of the built-in metrics."""

from __future__ import annotations

from skinfw.config import MetricConfig


class MseConfig(MetricConfig):
    """Mean squared error (the report's section 6.1.2)."""


class PsnrConfig(MetricConfig):
    """Peak signal-to-noise ratio (the report's section 6.1.2)."""


class SsimConfig(MetricConfig):
    """Structural similarity with the original's Gaussian window of 11 pixels (the report's section 6.1.2)."""
