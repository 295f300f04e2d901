"""Measurements of a photo for the filters: number of people, completeness and sharpness."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from skinfw.data.keypoints import Keypoints
from skinfw.data.segmentation import Mask, RgbImage, Segmentation
from skinfw.runtime.box import Box, cut

PERSON_POINTS = 5
"""Minimum number of points of a person's pose; OpenPose finds stray limbs in shadows and furniture."""

PERSON_PATCH = 0.25
"""Fraction of the largest patch of a person region above which another patch is another person; in 729 street
photos of one person each there is no such patch."""

SHARPNESS_SIDE = 256
"""Longer side in pixels at which sharpness is measured, so that it does not depend on the photo's size."""


def people_count(segmentation: Segmentation, poses: Sequence[Keypoints]) -> int:
    """Return the number of people in a photo: that of poses or of separate patches, whichever is larger."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(segmentation.person.astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    patches = int((areas >= PERSON_PATCH * areas.max(initial=0)).sum())
    return max(patches, sum(int(pose.found().sum()) >= PERSON_POINTS for pose in poses))


def cut_off_fraction(person: Mask, box: Box) -> float:
    """Return the fraction of the outline of a person's box that is person on the image's border, in [0, 1].

    Args:
        person: where the person is, bool ``(H, W)``.
        box: the box around the person.
    """
    border = np.ones_like(person)
    border[1:-1, 1:-1] = False
    # corners belong to two sides of the box but are one pixel
    outline = max(1, 2 * (box.height + box.width) - 4)
    return min(1.0, np.count_nonzero(person & border) / outline)


def sharpness(photo: RgbImage, box: Box) -> float:
    """Return the variance of the Laplacian of a box in gray, at `SHARPNESS_SIDE` pixels on its longer side.

    Source: Pech-Pacheco and others, "Diatom autofocusing in brightfield microscopy", 2000.

    Args:
        photo: uint8 RGB ``(H, W, 3)``.
        box: the person's box.
    """
    gray = cv2.cvtColor(cut(photo, box, 0), cv2.COLOR_RGB2GRAY)
    scale = SHARPNESS_SIDE / max(gray.shape)
    size = (max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale)))
    resized = cv2.resize(gray, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return float(cv2.Laplacian(resized, cv2.CV_64F).var())


def class_fractions(segmentation: Segmentation) -> dict[str, float]:
    """Return each class present with its fraction of the person's pixels, in (0, 1]."""
    background = segmentation.regions["background"]
    counts = np.bincount(segmentation.labels.ravel(), minlength=len(segmentation.classes))
    shown = {
        name: int(count)
        for name, count in zip(segmentation.classes, counts, strict=True)
        if count and name not in background
    }
    total = sum(shown.values())
    return {name: count / total for name, count in shown.items()}
