"""The point orders of pose estimators, and their conversion to BODY_25."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skinfw.data.keypoints import BODY_25, Keypoints

COCO_17 = (
    "Nose", "LEye", "REye", "LEar", "REar", "LShoulder", "RShoulder", "LElbow", "RElbow", "LWrist", "RWrist",
    "LHip", "RHip", "LKnee", "RKnee", "LAnkle", "RAnkle",
)  # fmt: skip
"""COCO's keypoints; BodyPix and most of MMPose's body models return these."""

COCO_18 = (
    "Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "RHip", "RKnee",
    "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar",
)  # fmt: skip
"""OpenPose's older model, used in Dress Code's files."""

BODY_25B = (*COCO_17, "UpperNeck", "HeadTop",
    "LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel",
)  # fmt: skip
"""OpenPose's model BODY_25B (poseParameters, release 1.5); its neck is above the shoulders."""

HALPE_26 = (*COCO_17, "Head", "Neck", "MidHip",
    "LBigToe", "RBigToe", "LSmallToe", "RSmallToe", "LHeel", "RHeel",
)  # fmt: skip
"""Halpe full body without hands and face (AlphaPose; RTMPose's body models with feet)."""

MEDIAPIPE_33 = (
    "Nose", "LEyeInner", "LEye", "LEyeOuter", "REyeInner", "REye", "REyeOuter", "LEar", "REar", "LMouth",
    "RMouth", "LShoulder", "RShoulder", "LElbow", "RElbow", "LWrist", "RWrist", "LPinky", "RPinky", "LIndex",
    "RIndex", "LThumb", "RThumb", "LHip", "RHip", "LKnee", "RKnee", "LAnkle", "RAnkle", "LHeel", "RHeel",
    "LBigToe", "RBigToe",
)  # fmt: skip
"""MediaPipe's pose landmarks; its foot index is the big toe."""

DEEPFASHION_21 = (
    "HeadTop", "REar", "REye", "LEye", "LEar", "Nose", "Chin", "RShoulder", "LShoulder", "RArmpit", "LArmpit",
    "RElbow", "LElbow", "RWrist", "RHip", "LHip", "LWrist", "RKnee", "LKnee", "RAnkle", "LAnkle",
)  # fmt: skip
"""DeepFashion-MultiModal's files.

The data set documents the order only as an image. This order was derived from its coordinates: the median
positions in 32 front views, measured from shoulders to ankles, compared with those of BODY_25 in other
photos; four back views show that left and right are the person's. The hips are marked on the outline, wider
apart and higher than the joints of the other orders.
"""

ORDERS: dict[str, tuple[str, ...]] = {
    "body_25": BODY_25,
    "body_25b": BODY_25B,
    "coco_17": COCO_17,
    "coco_18": COCO_18,
    "halpe_26": HALPE_26,
    "mediapipe_33": MEDIAPIPE_33,
    "deepfashion_21": DEEPFASHION_21,
}
"""All of them by name."""

MIDPOINTS = {"Neck": ("RShoulder", "LShoulder"), "MidHip": ("RHip", "LHip")}
"""Midpoints of two other points, for orders that lack them."""


def to_body_25(points: NDArray[np.floating], order: tuple[str, ...]) -> Keypoints:
    """Return points of another order as BODY_25.

    If the order lacks Neck and MidHip, they become the midpoints of shoulders and hips with the lower of the
    two confidences; other missing points count as not found.

    Args:
        points: x and y in pixels and confidence in [0, 1], ``(N, 3)``; a confidence of 0 means not found.
        order: the name of each of the N points.
    """
    if points.shape != (len(order), 3):
        raise ValueError(f"this order has ({len(order)}, 3) numbers, not {points.shape}")
    found = dict(zip(order, points, strict=True))
    for name, (one, other) in MIDPOINTS.items():
        if name not in found and one in found and other in found:
            middle = (found[one] + found[other]) / 2
            middle[2] = min(found[one][2], found[other][2])
            found[name] = middle
    rows = np.array([found.get(name, np.zeros(3)) for name in BODY_25], np.float32)
    rows[:, 2] = rows[:, 2].clip(0, 1)
    rows[rows[:, 2] <= 0] = 0
    return Keypoints(rows)
