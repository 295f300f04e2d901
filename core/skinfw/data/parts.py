"""The parts that a sample is made from, and making them from a photo."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from skinfw.components.config import Size
from skinfw.components.field_names import APPAREL, BODY, LINE, MASK, SKIN, LineStyle
from skinfw.data.keypoints import Keypoints
from skinfw.data.photo import WHITE
from skinfw.data.resize import blank_outside
from skinfw.data.segmentation import Mask, RgbImage, Segmentation


class SampleParts(ABC):
    """The images, masks and pose of one person, all of one size: from a sample folder or just made.

    Inputs read their fields from it.

    Attributes:
        where: names the parts in errors.
        apparel: the agnostic image, uint8 RGB ``(H, W, 3)``.
        keep: where ``apparel`` shows something, bool ``(H, W)``.
    """

    where: str
    apparel: RgbImage
    keep: Mask

    @property
    def size(self) -> Size:
        """Height and width in pixels."""
        return self.keep.shape[0], self.keep.shape[1]

    def lacks(self, name: str) -> str:
        """Return the error for a missing image or mask."""
        return f"{self.where}: {name} is missing"

    @abstractmethod
    def inpainting_mask(self) -> Mask:
        """Return the pixels that a generator may change, bool ``(H, W)``.

        Raises:
            DataError: it cannot be read.
        """

    @abstractmethod
    def line_style(self) -> LineStyle:
        """Return the style of the pose map."""

    @abstractmethod
    def image(self, name: str, background: int = WHITE) -> RgbImage | None:
        """Return an image by name, uint8 RGB ``(H, W, 3)``, or None if missing.

        Args:
            name: the file name without suffix, for instance ``body``, ``line``, or your own.
            background: gray level of transparent pixels.

        Raises:
            DataError: it cannot be read, or has another size than the others.
        """

    @abstractmethod
    def mask(self, name: str) -> Mask | None:
        """Return a mask by name, bool ``(H, W)``, or None if missing.

        Raises:
            DataError: it cannot be read, is not black and white, or has another size than the others.
        """

    @abstractmethod
    def segmentation(self) -> Segmentation | None:
        """Return the label map with its classes, or None if missing.

        Raises:
            DataError: it cannot be read, or is of another size than the others.
        """

    @abstractmethod
    def keypoints(self) -> Keypoints | None:
        """Return the pose in pixels of these images, or None if it is unknown.

        Raises:
            DataError: it cannot be read.
        """

    @abstractmethod
    def file(self, name: str) -> Path | None:
        """Return the path of your own file in the sample folder itself, or None if missing."""


@dataclass(frozen=True)
class PersonParts(SampleParts):
    """The parts that `make_agnostic` makes from a photo.

    Attributes:
        apparel: head, feet and apparel on white, uint8 RGB ``(H, W, 3)``.
        keep: where ``apparel`` shows something, bool ``(H, W)``.
        body: the person on white, uint8 RGB ``(H, W, 3)``.
        to_inpaint: the inpainting mask: what ``apparel`` does not show of the person, bool ``(H, W)``.
        skin: where the body shows skin, bool ``(H, W)``.
        labels: the label map with its classes.
        line: the pose map, uint8 RGB ``(H, W, 3)``, or None.
        pose: the pose in pixels of these images, or None if it is unknown.
        style: the style of ``line``.
        where: names the person in errors.
    """

    apparel: RgbImage
    keep: Mask
    body: RgbImage
    to_inpaint: Mask
    skin: Mask
    labels: Segmentation
    line: RgbImage | None = None
    pose: Keypoints | None = None
    style: LineStyle = "skeleton"
    where: str = "the person"

    def inpainting_mask(self) -> Mask:
        """Return the inpainting mask. See `SampleParts.inpainting_mask`."""
        return self.to_inpaint

    def line_style(self) -> LineStyle:
        """Return the style. See `SampleParts.line_style`."""
        return self.style

    def image(self, name: str, background: int = WHITE) -> RgbImage | None:
        """Return the image of that name. See `SampleParts.image`."""
        return {APPAREL: self.apparel, BODY: self.body, LINE: self.line}.get(name)

    def mask(self, name: str) -> Mask | None:
        """Return the mask of that name. See `SampleParts.mask`."""
        return {MASK: self.to_inpaint, SKIN: self.skin}.get(name)

    def segmentation(self) -> Segmentation | None:
        """Return the label map. See `SampleParts.segmentation`."""
        return self.labels

    def keypoints(self) -> Keypoints | None:
        """Return the pose. See `SampleParts.keypoints`."""
        return self.pose

    def file(self, name: str) -> Path | None:
        """Return None: these parts are in memory. See `SampleParts.file`."""
        return None


def dilate(mask: Mask, margin: int) -> Mask:
    """Return the mask dilated by a disc with a radius of ``margin`` pixels, bool ``(H, W)``.

    Example:
        >>> dilate(np.eye(3, dtype=bool), 0).sum().item()
        3
    """
    if margin == 0:
        return mask
    side = 2 * margin + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.dilate(mask.astype(np.uint8), disc).astype(bool)


def make_agnostic(photo: RgbImage, segmentation: Segmentation, margin: int) -> PersonParts:
    """Remove background and skin from a photo.

    Label edges are off by a few pixels, so the removed skin is dilated by a margin, and no true skin
    leaks into the input. The skin mask itself stays as the segmenter made it.

    Args:
        photo: uint8 RGB ``(H, W, 3)``.
        segmentation: its segmentation, of the same size.
        margin: dilation of the removed skin, in pixels of the photo.

    Returns:
        the parts, without ``line`` and ``pose``, which the pose encoder adds.
    """
    skin, person = segmentation.region("skin"), segmentation.person
    keep = segmentation.region("head", "feet", "apparel") & ~dilate(skin, margin)
    return PersonParts(
        apparel=blank_outside(photo, keep),
        keep=keep,
        body=blank_outside(photo, person),
        to_inpaint=person & ~keep,
        skin=skin,
        labels=segmentation,
    )
