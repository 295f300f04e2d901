"""Taking a photo of a person apart into the pictures that networks see."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from skinfw.components.config import Size
from skinfw.components.inputs import LineStyle
from skinfw.data.face import face_classes
from skinfw.data.heatmaps import draw_heatmaps
from skinfw.data.keypoints import Keypoints
from skinfw.data.resize import blank_outside, resize_cutout, resize_mask, resize_picture
from skinfw.data.sample import APPAREL, FACE, HEATMAPS, LINE, SKIN, Sample
from skinfw.data.segmentation import Mask, Picture, Segmentation


@dataclass(frozen=True)
class PersonParts:
    """The pictures of one person, all of one size.

    Attributes:
        apparel: head, feet and apparel on white (nearly white from a JPEG), uint8 RGB ``(H, W, 3)``.
        kept: where ``apparel`` shows something, bool ``(H, W)``.
        body: the person on white, uint8 RGB ``(H, W, 3)``.
        skin: where the body shows skin, bool ``(H, W)``, or None where nobody knows.
        line: the drawn pose, uint8 RGB ``(H, W, 3)``, or None.
        face: where the face is visible, bool ``(H, W)``, or None where nobody knows.
        keypoints: the pose in pixels of these pictures, or None where nobody knows.
        line_style: how ``line`` is drawn.
    """

    apparel: Picture
    kept: Mask
    body: Picture
    skin: Mask | None = None
    line: Picture | None = None
    face: Mask | None = None
    keypoints: Keypoints | None = None
    line_style: LineStyle = "skeleton"


def grow(mask: Mask, margin: int) -> Mask:
    """Return the mask grown by a disc of ``margin`` pixels, bool ``(H, W)``."""
    if margin == 0:
        return mask
    side = 2 * margin + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.dilate(mask.astype(np.uint8), disc).astype(bool)


def make_agnostic(photo: Picture, segmentation: Segmentation, margin: int) -> PersonParts:
    """Remove the background and the skin of a photo.

    Label edges are off by a few pixels, so what is removed is the skin grown by a margin: no true skin leaks
    into the input. The skin mask itself stays as the segmenter drew it.

    Args:
        photo: uint8 RGB ``(H, W, 3)``.
        segmentation: what the segmenter says about it, of the same size.
        margin: how far the removed skin grows, in pixels of the photo.

    Returns:
        the parts; ``line`` is left to the pose encoder, ``face`` is None where no class is the face.
    """
    skin = segmentation.region("skin")
    kept = segmentation.region("head", "feet", "apparel") & ~grow(skin, margin)
    faces = face_classes(segmentation.classes)
    return PersonParts(
        apparel=blank_outside(photo, kept),
        kept=kept,
        body=blank_outside(photo, segmentation.person),
        skin=skin,
        face=segmentation.of_classes(*faces) if faces else None,
    )


def resize_parts(parts: PersonParts, size: Size) -> PersonParts:
    """Resize every part to ``size`` (height, width); masks stay binary, nothing erased bleeds in.

    The body is divided by what is kept as well: where it shows the same as ``apparel`` it still does.
    """
    apparel, kept = resize_cutout(parts.apparel, parts.kept, size)
    old = (parts.kept.shape[0], parts.kept.shape[1])
    return replace(
        parts,
        apparel=apparel,
        kept=kept,
        body=resize_cutout(parts.body, parts.kept, size)[0],
        skin=None if parts.skin is None else resize_mask(parts.skin, size),
        line=None if parts.line is None else resize_picture(parts.line, size),
        face=None if parts.face is None else resize_mask(parts.face, size) & kept,
        keypoints=None if parts.keypoints is None else parts.keypoints.resized(old, size),
    )


def mask_picture(mask: Mask) -> Picture:
    """Return a mask as a picture, white where it is set and black elsewhere, uint8 RGB ``(H, W, 3)``."""
    return np.repeat(mask[..., None].astype(np.uint8) * 255, 3, axis=2)


def to_sample(name: str, parts: PersonParts, size: Size, inputs: tuple[str, ...]) -> Sample:
    """Make a training sample out of a person's parts.

    Args:
        name: the sample's name.
        parts: the person, of any size.
        size: height and width wanted, in pixels.
        inputs: names of the input pictures wanted; the parts must hold them.
    """
    source_size = (parts.kept.shape[0], parts.kept.shape[1])
    parts = resize_parts(replace(parts, line=parts.line if LINE in inputs else None), size)
    pictures: dict[str, Picture | None] = {
        APPAREL: parts.apparel,
        LINE: parts.line,
        SKIN: None if parts.skin is None else mask_picture(parts.skin),
        FACE: None if parts.face is None else mask_picture(parts.face),
        HEATMAPS: None,
    }
    if HEATMAPS in inputs and parts.keypoints is not None:
        pictures[HEATMAPS] = draw_heatmaps(parts.keypoints, size)
    chosen = {}
    for wanted in inputs:
        picture = pictures[wanted]
        if picture is None:
            raise ValueError(f"{name}: the parts hold no {wanted}")
        chosen[wanted] = picture
    return Sample(
        name=name,
        inputs=chosen,
        target=parts.body,
        skin=parts.skin,
        kept=parts.kept,
        keypoints=parts.keypoints,
        line_style=parts.line_style,
        source_size=source_size,
    )
