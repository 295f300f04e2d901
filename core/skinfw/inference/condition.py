"""The input images of a network for a photo, made as those of its training samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from skinfw.components.config import Size
from skinfw.components.field_names import KEEP, MASK, SKIN
from skinfw.data.dataset_io import to_sample
from skinfw.data.keypoints import Keypoints
from skinfw.data.parts import make_agnostic
from skinfw.data.resize import WHITE, resize_image, resize_labels, resize_mask
from skinfw.data.segmentation import Mask, RgbImage, Segmentation
from skinfw.interfaces import DatasetIO, PoseEncoder
from skinfw.runtime.box import Box, cut

TIMES = 4
"""The condition is made from at most this many times the network's height and width. A training photo is
about that large, so the margin around the removed skin is as wide as in training."""


def make_condition(
    photo: RgbImage,
    mask: Mask,
    segmentation: Segmentation,
    keypoints: Keypoints,
    box: Box,
    io: DatasetIO,
    encoder: PoseEncoder[Any],
    margin: int,
) -> Mapping[str, RgbImage]:
    """Return the input images and masks of a photo's crop, each uint8 ``(H, W, C)`` of the network's size.

    The mask counts as skin, and all skin is removed with its margin, so the network sees nothing of what it
    is to paint.

    Args:
        photo: uint8 sRGB ``(H, W, 3)``.
        mask: the pixels to paint, bool ``(H, W)``.
        segmentation: the photo's label map.
        keypoints: the person's pose, in pixels of the photo.
        box: the crop.
        io: the network's size and inputs.
        encoder: draws the pose.
        margin: pixels by which the removed skin is dilated.
    """
    regions = segmentation.regions
    background = segmentation.classes.index(regions["background"][0])
    skin = segmentation.classes.index(regions["skin"][0])
    crop, inside = cut(photo, box, WHITE), cut(mask, box, 0)
    labels = cut(segmentation.labels, box, background)
    size = _working_size(box, io.size)
    labels = resize_labels(labels, size)
    labels = np.where(resize_mask(inside, size), np.uint8(skin), labels)
    shown = replace(segmentation, labels=labels)
    pose = keypoints.mapped(1.0, 1.0, -box.left, -box.top).resized((box.height, box.width), size)
    parts = make_agnostic(resize_image(crop, size), shown, margin)
    parts = replace(parts, pose=pose, line=encoder.draw(pose, size), style=encoder.config.draw)
    sample = to_sample("photo", parts, io)
    # the composite of an exported file may need a mask that the network does not see
    names = dict.fromkeys([*io.inputs, KEEP, MASK, SKIN])
    return {name: sample.fields[name].type.pixels(sample[name]) for name in names}


def _working_size(box: Box, size: Size) -> Size:
    """Return the height and width that the crop is reduced to; it is never enlarged."""
    factor = min(1.0, TIMES * size[0] / box.height)
    return max(1, round(box.height * factor)), max(1, round(box.width * factor))
