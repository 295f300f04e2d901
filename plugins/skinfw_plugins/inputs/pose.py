"""The pose: as a pose map or as heat maps."""

from __future__ import annotations

from typing import ClassVar

from skinfw.data.field_types import Field
from skinfw.data.parts import SampleParts
from skinfw.data.photo import BLACK
from skinfw.data.pose_types import HeatMapsType, PoseMapType
from skinfw.data.skeleton import draw_resized_pose
from skinfw.interfaces import Input
from skinfw_plugins.inputs.config import HeatmapsConfig, LineConfig


class LineInput(Input[LineConfig]):
    """The pose map: the sample's own, or one drawn from its keypoints."""

    missing: ClassVar[str] = "line and keypoints.json are both missing; the pose needs one"

    def read(self, parts: SampleParts) -> Field | None:
        """Return the drawing. See `Input.read`."""
        drawing = parts.image("line", BLACK)
        if drawing is None:
            pose = parts.keypoints()
            if pose is None:
                return None
            drawing = draw_resized_pose(pose, parts.size, parts.line_style())
        return Field(PoseMapType(parts.line_style()), drawing)


class HeatmapsInput(Input[HeatmapsConfig]):
    """One heat map per keypoint, as in pose-guided person generation."""

    missing: ClassVar[str] = "keypoints.json is missing or empty; heat maps are drawn from keypoints"

    def read(self, parts: SampleParts) -> Field | None:
        """Return the heat maps, drawn at the requested size. See `Input.read`."""
        pose = parts.keypoints()
        return None if pose is None else Field(HeatMapsType(), pose)
