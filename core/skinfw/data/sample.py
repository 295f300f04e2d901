"""One training example, as a data set yields it. Light: no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from skinfw.components.config import Size
from skinfw.components.inputs import APPAREL, FACE, HEATMAPS, INPUTS, LINE, SKIN, LineStyle
from skinfw.data.keypoints import Keypoints
from skinfw.data.segmentation import Mask, Picture

__all__ = ["APPAREL", "BODY", "FACE", "HEATMAPS", "INPUTS", "LINE", "SKIN", "Sample"]

BODY = "body"
"""The name of the true picture."""


@dataclass(frozen=True)
class Sample:
    """One person as a data set yields it, at the size that was asked for.

    Attributes:
        name: unique within the data set; the split and the output files use it.
        inputs: the input pictures by name, each uint8 RGB ``(H, W, 3)``; masks are black and white, heat
            maps have 25 channels instead of 3 (see `skinfw.data.heatmaps`).
        target: the person without background, uint8 RGB ``(H, W, 3)``.
        skin: where the target shows skin, bool ``(H, W)``, or None where nobody knows.
        kept: where ``apparel_head_foot`` shows head, feet or apparel, bool ``(H, W)``.
        keypoints: the pose in pixels of these pictures, or None where nobody knows.
        line_style: how ``line`` is drawn, for those who draw it again.
        source_size: height and width before the pictures were resized; None where they never were.
    """

    name: str
    inputs: Mapping[str, Picture]
    target: Picture
    skin: Mask | None
    kept: Mask
    keypoints: Keypoints | None = None
    line_style: LineStyle = "skeleton"
    source_size: Size | None = None
