"""The names of the sample fields that the framework itself uses. Light: no numpy."""

from __future__ import annotations

from typing import Literal

APPAREL = "apparel_head_foot"
"""The agnostic image: head, feet and apparel on white."""

BODY = "body"
"""The target: the person on white."""

KEEP = "keep"
"""Mask of what the agnostic image shows: the known pixels."""

MASK = "mask"
"""The inpainting mask: the pixels that a generator may change."""

SKIN = "segmentation_skin"
"""Mask of the skin."""

FACE = "face"
"""Mask of the visible face."""

HEATMAPS = "heatmaps"
"""The pose as one heat map per keypoint."""

LINE = "line"
"""The pose map."""

KEYPOINTS = "keypoints"
"""The pose as BODY_25 keypoints."""

IMAGE = "image"
"""A photo, for tasks that label it."""

LABELS = "labels"
"""The label map of a photo."""

LineStyle = Literal["skeleton", "lines"]
"""The style of ``line``: OpenPose's colored skeleton, or plain white lines of one width."""

KEYPOINT_COUNT = 25
"""Number of keypoints in OpenPose's BODY_25."""
