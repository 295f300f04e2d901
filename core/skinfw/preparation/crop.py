"""Crops around the person; what lies beyond the photo's border is background."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from skinfw.data.parts import PersonParts
from skinfw.data.resize import WHITE
from skinfw.data.segmentation import Mask
from skinfw.runtime.box import Box, cut

_SPECK = 0.001


def person_box(person: Mask) -> Box | None:
    """Return the box around a person's pixels, or None if there are none.

    Specks do not count: patches smaller than a thousandth of the person, as in noisy label maps.
    """
    _, _, stats, _ = cv2.connectedComponentsWithStats(person.astype(np.uint8), connectivity=8)
    patches = stats[1:]
    if not len(patches):
        return None
    areas = patches[:, cv2.CC_STAT_AREA]
    large = areas >= _SPECK * areas.sum()
    if large.any():  # else everything is specks
        patches = patches[large]
    left, top = patches[:, cv2.CC_STAT_LEFT], patches[:, cv2.CC_STAT_TOP]
    right, bottom = left + patches[:, cv2.CC_STAT_WIDTH], top + patches[:, cv2.CC_STAT_HEIGHT]
    box_top, box_left = int(top.min()), int(left.min())
    return Box(box_top, box_left, int(bottom.max()) - box_top, int(right.max()) - box_left)


def cropped(parts: PersonParts, box: Box) -> PersonParts:
    """Return the box of every part, padded with background beyond the photo's border."""
    background = parts.labels.classes.index(parts.labels.regions["background"][0])
    return replace(
        parts,
        apparel=cut(parts.apparel, box, WHITE),
        keep=cut(parts.keep, box, 0),
        body=cut(parts.body, box, WHITE),
        to_inpaint=cut(parts.to_inpaint, box, 0),
        skin=cut(parts.skin, box, 0),
        labels=replace(parts.labels, labels=cut(parts.labels.labels, box, background)),
        line=None if parts.line is None else cut(parts.line, box, 0),
        pose=None if parts.pose is None else parts.pose.mapped(1.0, 1.0, -box.left, -box.top),
    )
