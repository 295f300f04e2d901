"""One training example, as a data set yields it. Light: no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from skinfw.data.keypoints import Keypoints
from skinfw.data.segmentation import Mask, Picture
from skinfw.inputs import APPAREL, FACE, INPUTS, LINE, SKIN

__all__ = ["APPAREL", "BODY", "FACE", "INPUTS", "LINE", "SKIN", "Sample"]

BODY = "body"
"""The name of the true picture."""


@dataclass(frozen=True)
class Sample:
    """One person as a data set yields it, at the size that was asked for.

    Attributes:
        name: unique within the data set; the split and the output files go by it.
        inputs: the input pictures by name, each uint8 RGB ``(H, W, 3)``; masks are black and white.
        target: the person without background, uint8 RGB ``(H, W, 3)``.
        skin: where the target shows skin, bool ``(H, W)``, or None where nobody knows.
        kept: where ``apparel_head_foot`` shows head, feet or apparel, bool ``(H, W)``.
        keypoints: the pose in pixels of these pictures, or None where nobody knows.
    """

    name: str
    inputs: Mapping[str, Picture]
    target: Picture
    skin: Mask | None
    kept: Mask
    keypoints: Keypoints | None = None
