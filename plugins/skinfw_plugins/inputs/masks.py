"""Masks of a sample: the skin, the inpainting mask, and body parts."""

from __future__ import annotations

from typing import ClassVar

from skinfw.components.field_names import KEEP, SKIN
from skinfw.data.body_parts import ZONES, Zone
from skinfw.data.body_zones import zones_of_pose
from skinfw.data.face import face_classes, face_from_keypoints
from skinfw.data.field_types import Field
from skinfw.data.parts import SampleParts
from skinfw.data.pixel_types import INPAINTING_MASK_TYPE, SKIN_TYPE, MaskType
from skinfw.interfaces import Input
from skinfw_plugins.inputs.config import MaskConfig, SkinMaskConfig


class SkinInput(Input[SkinMaskConfig]):
    """Where the person shows skin."""

    missing: ClassVar[str] = "segmentation_skin is missing, but the run needs it"

    def read(self, parts: SampleParts) -> Field | None:
        """Return the mask of the skin. See `Input.read`."""
        skin = parts.mask(SKIN)
        return None if skin is None else Field(SKIN_TYPE, skin)


class InpaintingMaskInput(Input[MaskConfig]):
    """The pixels to inpaint: those erased from the person."""

    missing: ClassVar[str] = "mask is missing"

    def read(self, parts: SampleParts) -> Field | None:
        """Return the inpainting mask; every sample has it. See `Input.read`."""
        return Field(INPAINTING_MASK_TYPE, parts.inpainting_mask())


class FaceInput(Input[MaskConfig]):
    """Where the face is visible: from the label map if it has a face class, else from the pose."""

    missing: ClassVar[str] = (
        "the face cannot be located; add keypoints.json with points on the head, or parsing.png with its "
        "classes in sample.json"
    )

    def read(self, parts: SampleParts) -> Field | None:
        """Return the face. See `Input.read`."""
        labels = parts.segmentation()
        faces = () if labels is None else face_classes(labels.classes)
        if labels is not None and faces:
            face = labels.of_classes(*faces)
        else:
            pose = parts.keypoints()
            found = None if pose is None else face_from_keypoints(pose, parts.size)
            if found is None:
                return None
            face = found
        return Field(MaskType(inside=KEEP), face & parts.keep)


class BodyPartInput(Input[SkinMaskConfig]):
    """The skin of a body part, located by the pose."""

    zone: ClassVar[Zone]

    def read(self, parts: SampleParts) -> Field | None:
        """Return the skin of the part. See `Input.read`."""
        skin, pose = parts.mask(SKIN), parts.keypoints()
        zones = None if pose is None else zones_of_pose(pose, parts.size)
        if skin is None or zones is None:
            return None
        return Field(MaskType(inside=SKIN), skin & (zones == ZONES.index(self.zone)))


class ArmsInput(BodyPartInput):
    """The skin of both arms, from the shoulders to the wrists."""

    zone: ClassVar[Zone] = "arm"
    missing: ClassVar[str] = (
        "the arms cannot be located; add segmentation_skin, and keypoints.json with points on the arms"
    )


class HandsInput(BodyPartInput):
    """The skin of both hands."""

    zone: ClassVar[Zone] = "hand"
    missing: ClassVar[str] = (
        "the hands cannot be located; add segmentation_skin, and keypoints.json with elbows and wrists"
    )
