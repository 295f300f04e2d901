"""The main person among several people in a photo."""

from __future__ import annotations

import cv2
import numpy as np

from skinfw.data.segmentation import Mask


def main_person(people: Mask) -> Mask:
    """Return the largest connected patch and the patches above and below it, bool ``(H, W)``.

    A patch lies above or below if its center is in a column of the largest patch: parts separated by a belt
    or bag stay, passers-by do not.

    Args:
        people: where people are, bool ``(H, W)``.
    """
    count, patches, stats, centers = cv2.connectedComponentsWithStats(people.astype(np.uint8), connectivity=8)
    if count <= 2:  # the first one is the background
        return people
    largest = stats[1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())]
    left, width = largest[cv2.CC_STAT_LEFT], largest[cv2.CC_STAT_WIDTH]
    within = (centers[:, 0] >= left) & (centers[:, 0] < left + width)
    within[0] = False
    kept: Mask = within[patches]
    return kept
