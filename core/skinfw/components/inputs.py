"""The names of the input pictures that a sample can offer. Light: no numpy."""

from __future__ import annotations

from typing import Literal, get_args

InputName = Literal["apparel_head_foot", "line", "segmentation_skin", "face", "heatmaps"]
"""The report's three, the mask of the visible face, and the pose as a heat map for each keypoint."""

INPUTS: tuple[InputName, ...] = get_args(InputName)
"""All of them."""

APPAREL, LINE, SKIN, FACE, HEATMAPS = INPUTS

POSES = (LINE, HEATMAPS)
"""Those that are drawn from keypoints."""

LineStyle = Literal["skeleton", "lines"]
"""How ``line`` is drawn: OpenPose's colored skeleton, or plain white lines of one width."""

KEYPOINTS = 25
"""Keypoints of a pose in OpenPose's BODY_25."""


def channels_of(name: str) -> int:
    """Return how many channels an input picture has: one a keypoint for heat maps, else 3 (RGB).

    Example:
        >>> channels_of("line"), channels_of("heatmaps")
        (3, 25)
    """
    return KEYPOINTS if name == HEATMAPS else 3
