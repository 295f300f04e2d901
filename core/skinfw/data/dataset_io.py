"""What a data set must provide, and making a sample of it from a person's parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np

from skinfw.components.config import InputConfig, Size
from skinfw.components.field_names import APPAREL, BODY, KEEP, KEYPOINTS, MASK, SKIN
from skinfw.data.field_types import Field
from skinfw.data.parts import SampleParts
from skinfw.data.pixel_types import (
    APPAREL_TYPE,
    BODY_TYPE,
    INPAINTING_MASK_TYPE,
    KEEP_TYPE,
    SKIN_TYPE,
    MaskType,
)
from skinfw.data.pose_types import KeypointsType
from skinfw.data.sample import Sample, resized
from skinfw.errors import DataError


class FieldReader(Protocol):
    """Reads one field of a sample: a `skinfw.interfaces.Input`."""

    missing: ClassVar[str]

    @property
    def config(self) -> InputConfig:
        """The configuration."""

    def read(self, parts: SampleParts) -> Field | None:
        """Return the field, or None if the sample does not provide it."""


@dataclass(frozen=True)
class DatasetIO:
    """What a data set must provide.

    Attributes:
        size: height and width of every image in pixels.
        inputs: the inputs that each sample must have, by name.
        optional: masks that are blank for samples without them, by name.
        needs_keypoints: whether every sample must have keypoints.
        mask_margin: pixels around the skin that may be inpainted in samples without a mask; see
            `skinfw.data.sample_folder.FolderParts`.
    """

    size: Size
    inputs: Mapping[str, FieldReader]
    optional: Mapping[str, FieldReader] = field(default_factory=dict)
    needs_keypoints: bool = False
    mask_margin: int = 0


def to_sample(name: str, parts: SampleParts, io: DatasetIO, *, needs_target: bool = True) -> Sample:
    """Make a training sample from a person's parts.

    Args:
        name: the sample's name.
        parts: the person, of any size.
        io: the requested size and inputs.
        needs_target: whether the parts must have ``body``; otherwise the agnostic image is the target.

    Raises:
        DataError: a requested part is missing or cannot be read.
    """
    body = parts.image(BODY) if needs_target else parts.apparel
    if body is None:
        raise DataError(parts.lacks(BODY))
    fields = {
        APPAREL: Field(APPAREL_TYPE, parts.apparel),
        BODY: Field(BODY_TYPE, body),
        KEEP: Field(KEEP_TYPE, parts.keep),
        MASK: Field(INPAINTING_MASK_TYPE, parts.inpainting_mask()),
    }
    blank = Field(MaskType(), np.zeros_like(parts.keep))
    for each, wanted in io.inputs.items():
        field = wanted.read(parts)
        if field is None:
            raise DataError(f"{parts.where}: {wanted.missing}")
        fields[each] = field
    for each, wanted in io.optional.items():
        fields[each] = wanted.read(parts) or blank
    for each, field in fields.items():
        if isinstance(field.value, np.ndarray) and field.value.shape[:2] != parts.size:
            height, width = field.value.shape[:2]
            raise DataError(
                f"{parts.where}: {each} has {height}x{width} pixels (height x width), the other images have "
                f"{parts.size[0]}x{parts.size[1]}"
            )
    if SKIN not in fields:
        skin = parts.mask(SKIN)
        fields[SKIN] = blank if skin is None else Field(SKIN_TYPE, skin)
    if io.needs_keypoints:
        pose = parts.keypoints()
        if pose is None:
            raise DataError(
                f"{parts.where}: keypoints.json is missing or empty; augmentations that move pixels "
                "need keypoints to draw the pose again"
            )
        fields[KEYPOINTS] = Field(KeypointsType(), pose)
    return Sample(name, resized(fields, parts.size, io.size), source_size=parts.size)
