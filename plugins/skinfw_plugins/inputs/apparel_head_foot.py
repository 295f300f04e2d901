"""The agnostic image."""

from __future__ import annotations

from typing import ClassVar

from skinfw.data.field_types import Field
from skinfw.data.parts import SampleParts
from skinfw.data.pixel_types import APPAREL_TYPE
from skinfw.interfaces import Input
from skinfw_plugins.inputs.config import ApparelConfig


class ApparelInput(Input[ApparelConfig]):
    """Head, feet and apparel on white."""

    missing: ClassVar[str] = "apparel_head_foot is missing"

    def read(self, parts: SampleParts) -> Field | None:
        """Return the image; every sample has it. See `Input.read`."""
        return Field(APPAREL_TYPE, parts.apparel)
