"""The configuration of the loss. skinfw reads it without torch: import nothing heavy here."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from skinfw.components.config import LossConfig


class MeanToneConfig(LossConfig):
    """How the mean skin colors are compared."""

    region: Literal["skin"] = Field(default="skin", description="pixels that count: always the skin")
    power: Literal[1, 2] = Field(default=1, description="1: absolute difference, 2: squared difference")
