"""Which of several people in a photo is meant."""

from __future__ import annotations

import cv2
import numpy as np

from skinfw.data.segmentation import Mask


def main_person(people: Mask) -> Mask:
    """Return the largest connected patch and the patches above and below it, bool ``(H, W)``.

    A patch lies above or below where its middle is in one of the largest's columns: feet that a belt or a bag
    parts from the rest stay, passers-by go.

    Args:
        people: where anybody is, bool ``(H, W)``.
    """
    count, patches, stats, centers = cv2.connectedComponentsWithStats(people.astype(np.uint8), connectivity=8)
    if count <= 2:  # the first is what nobody is in
        return people
    largest = stats[1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())]
    left, width = largest[cv2.CC_STAT_LEFT], largest[cv2.CC_STAT_WIDTH]
    within = (centers[:, 0] >= left) & (centers[:, 0] < left + width)
    within[0] = False
    kept: Mask = within[patches]
    return kept
