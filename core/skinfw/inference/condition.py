"""The input images of a network for a photo, made as those of its training samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from skinfw.components.config import Size
from skinfw.data.dataset_io import to_sample
from skinfw.data.keypoints import Keypoints
from skinfw.data.parts import make_agnostic
from skinfw.data.resize import WHITE, resize_image, resize_labels, resize_mask
from skinfw.data.sample import Sample
from skinfw.data.segmentation import Mask, RgbImage, Segmentation
from skinfw.interfaces import DatasetIO, PoseEncoder
from skinfw.runtime.box import Box, cut
from skinfw.runtime.preparation import Preparation

TIMES = 4
"""The condition is made from at most this many times the network's height and width. A training photo is
about that large, so the margin around the removed skin is as wide as in training."""


def make_condition(
    photo: RgbImage,
    mask: Mask,
    segmentation: Segmentation,
    keypoints: Keypoints | None,
    box: Box,
    io: DatasetIO,
    names: Sequence[str],
    encoder: PoseEncoder[Any],
    preparation: Preparation,
    find_pose: Callable[[], Keypoints],
) -> Mapping[str, RgbImage]:
    """Return the images of a photo's crop that a model needs, each uint8 ``(H, W, C)`` of the network's size.

    The mask counts as skin. All skin but the face is removed with its margin, also outside the mask:
    `skinfw.runtime.full_resolution` compares that skin with what the network paints in its place.

    Args:
        photo: uint8 sRGB ``(H, W, 3)``.
        mask: the pixels to paint, bool ``(H, W)``.
        segmentation: the photo's label map.
        keypoints: the person's pose, in pixels of the photo; None if it is unknown.
        box: the crop.
        io: the network's size and inputs.
        names: the fields that the model needs.
        encoder: draws the pose.
        preparation: how the model's training samples were prepared.
        find_pose: finds the pose; called if it is unknown and an input cannot be made without it.

    Raises:
        DataError: an input needs something that the photo or the pose does not show.
    """
    regions = segmentation.regions
    background = segmentation.classes.index(regions["background"][0])
    skin = segmentation.classes.index(regions["skin"][0])
    crop, inside = cut(photo, box, WHITE), cut(mask, box, 0)
    labels = cut(segmentation.labels, box, background)
    size = _working_size(box, io.size)
    labels = resize_labels(labels, size)
    painted = resize_mask(inside, size)
    shown = replace(segmentation, labels=np.where(painted, np.uint8(skin), labels))
    parts = make_agnostic(resize_image(crop, size), shown, preparation.removed_margin)
    if keypoints is None and any(each.read(parts) is None for each in io.inputs.values()):
        keypoints = find_pose()  # the photo lacks nothing else
    if keypoints is not None:
        pose = keypoints.mapped(1.0, 1.0, -box.left, -box.top).resized((box.height, box.width), size)
        parts = replace(parts, pose=pose, line=encoder.draw(pose, size), style=encoder.config.draw)
    return images_of(to_sample("photo", parts, io, needs_target=False), names)


def as_background(labels: Segmentation, behind: Mask) -> Segmentation:
    """Return a label map in which some pixels, bool ``(H, W)``, are background."""
    code = labels.classes.index(labels.regions["background"][0])
    return replace(labels, labels=np.where(behind, np.uint8(code), labels.labels))


def images_of(sample: Sample, names: Sequence[str]) -> dict[str, RgbImage]:
    """Return fields of a sample as a model gets them, each uint8 ``(H, W, C)`` by name."""
    return {name: sample.fields[name].type.pixels(sample[name]) for name in names}


def _working_size(box: Box, size: Size) -> Size:
    """Return the height and width that the crop is reduced to; it is never enlarged."""
    factor = min(1.0, TIMES * size[0] / box.height)
    return max(1, round(box.height * factor)), max(1, round(box.width * factor))
