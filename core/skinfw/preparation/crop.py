"""Cropping a photo to its person; beyond the photo's border is background."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.data.parts import PersonParts
from skinfw.data.resize import WHITE
from skinfw.data.segmentation import Mask
from skinfw.preparation.config import PersonCrop

ValueT = TypeVar("ValueT", np.uint8, np.bool_)

_SPECK = 0.001


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels; it may extend beyond the image.

    Attributes:
        top: first row, left: first column, height and width: number of rows and columns.
    """

    top: int
    left: int
    height: int
    width: int


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


def crop_box(person: Box, crop: PersonCrop) -> Box:
    """Return the box of the crop: the person centered, with a margin, at the configured aspect ratio."""
    room = crop.margin * max(person.height, person.width)
    height, width = person.height + 2 * room, person.width + 2 * room
    height, width = max(height, width * crop.aspect), max(width, height / crop.aspect)
    whole_height, whole_width = max(1, round(height)), max(1, round(width))
    return Box(
        top=round(person.top + (person.height - whole_height) / 2),
        left=round(person.left + (person.width - whole_width) / 2),
        height=whole_height,
        width=whole_width,
    )


def cut(values: NDArray[ValueT], box: Box, fill: int) -> NDArray[ValueT]:
    """Return the box of an image, mask or label map ``(H, W, ...)``, padded outside the image."""
    out = np.full((box.height, box.width, *values.shape[2:]), fill, values.dtype)
    top, left = max(box.top, 0), max(box.left, 0)
    inside = values[top : max(box.top + box.height, 0), left : max(box.left + box.width, 0)]
    out[
        top - box.top : top - box.top + inside.shape[0], left - box.left : left - box.left + inside.shape[1]
    ] = inside
    return out


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
