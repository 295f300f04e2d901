"""Configurations of the built-in inputs."""

from __future__ import annotations

from typing import ClassVar

from skinfw.components.config import InputConfig
from skinfw.components.field_names import KEYPOINT_COUNT


class ApparelConfig(InputConfig):
    """The agnostic image (report, section 6.1.1)."""


class MaskConfig(InputConfig):
    """A mask."""

    is_mask: ClassVar[bool] = True


class SkinMaskConfig(MaskConfig):
    """A mask of skin."""

    shows_skin: ClassVar[bool] = True


class LineConfig(InputConfig):
    """The pose as a drawn skeleton (report, section 6.1.1)."""

    shows_pose: ClassVar[bool] = True


class HeatmapsConfig(InputConfig):
    """The pose as one heat map per keypoint."""

    shows_pose: ClassVar[bool] = True

    @property
    def channels(self) -> int:
        """One channel per keypoint."""
        return KEYPOINT_COUNT
