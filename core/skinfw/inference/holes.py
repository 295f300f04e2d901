"""The holes of a photo, as try-on systems leave them: transparent patches, or patches of one exact color."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.data.body_parts import ZONES
from skinfw.data.body_zones import zones_of_pose
from skinfw.data.keypoints import Keypoints
from skinfw.data.resize import WHITE
from skinfw.data.segmentation import Mask, Segmentation
from skinfw.errors import DataError, counted
from skinfw.inference.background import REACH
from skinfw.inference.paint_mask import OPAQUE, Rgb, of_color
from skinfw.inference.source_photo import SourcePhoto

MIN_HOLE = 0.0002
"""Minimum size of a hole as a fraction of the photo; smaller flat patches are highlights."""

MAX_SOFT = 0.75
"""Maximum fraction of the pixels around a white hole that are nearly white. In 183 street photos of 512x512,
256x256 and 128x128 pixels, it is at least 0.89 around 294 overexposed patches, and at most 0.64 around 2,186
pieces of skin that were erased."""

NEARLY_WHITE = 224
"""Level of every channel from which a pixel is nearly white."""

MIN_FLAT_BORDER = 0.02
"""Fraction of the photo's border that is white or transparent from which its background is."""

_LIMBS = [ZONES.index(zone) for zone in ("neck", "torso", "arm", "hand", "thigh", "shin", "foot")]


@dataclass(frozen=True)
class Holes:
    """The holes of a photo.

    Attributes:
        mask: bool ``(H, W)``.
        soft: number of white patches that are not holes, as they fade out like overexposed cloth.
        flat_border: whether the photo's border is white or transparent too, so that a hole may be background.
    """

    mask: Mask
    soft: int = 0
    flat_border: bool = False

    def check(self, where: object) -> None:
        """Raise DataError if there are none; ``where`` names the photo."""
        if self.mask.any():
            return
        soft = (
            f" ({counted(self.soft, 'white area')} with soft edges, as overexposed cloth and holes in a JPEG "
            "have, not counted)"
        )
        raise DataError(
            f"{where}: has no transparent or flat white hole{soft if self.soft else ''}; give a mask, a "
            "region or limbs to expose"
        )


def holes_of(source: SourcePhoto, color: Rgb | None = None) -> Holes:
    """Find the holes of a photo: transparent or flat white patches that do not reach its border.

    A white hole has hard edges. Overexposed cloth, and a hole in a JPEG, have a rim of nearly white pixels.

    Args:
        source: the photo.
        color: the color of the holes instead; they may have any edges, and reach the border.
    """
    if color is not None:
        return Holes(_large(of_color(source.photo.pixels, color)) > 0)
    flat: Mask = (source.photo.pixels == WHITE).all(axis=-1)
    clear = source.alpha is not None and bool((source.alpha < OPAQUE).any())
    if source.alpha is not None and clear:
        flat = source.alpha < OPAQUE
    border = _border(flat)
    patches = _large(flat)
    patches[np.isin(patches, _border(patches))] = 0  # the background is flat too
    nearly: Mask = source.photo.pixels.min(axis=-1) >= NEARLY_WHITE
    soft = [] if clear else _soft(patches, nearly)
    patches[np.isin(patches, soft)] = 0
    return Holes(patches > 0, len(soft), bool(border.mean() >= MIN_FLAT_BORDER))


def holes_on_body(holes: Holes, labels: Segmentation, pose: Keypoints, where: object) -> Mask:
    """Return the holes in which skin may be missing: on or at limbs, neck or trunk.

    Args:
        holes: the holes.
        labels: the photo's label map.
        pose: the person's pose in its pixels.
        where: names the photo in errors.

    Returns:
        bool ``(H, W)``.

    Raises:
        DataError: there are none, or each may as well be the background between arm and body.
    """
    _, patches = cv2.connectedComponents(holes.mask.astype(np.uint8), connectivity=4)
    zones = zones_of_pose(pose, labels.labels.shape, REACH, within=holes.mask)
    if zones is not None:
        at_limbs = np.unique(patches[holes.mask & np.isin(zones, _LIMBS)])
        patches[~np.isin(patches, at_limbs)] = 0
    found = int(np.count_nonzero(np.unique(patches)))
    if not found:
        raise DataError(f"{where}: its holes do not touch limbs or neck; give a mask")
    if holes.flat_border:
        behind = np.bincount(patches[labels.region("background")], minlength=patches.max() + 1)
        patches[(behind > np.bincount(patches.ravel()) / 2)[patches]] = 0
        if not patches.any():
            raise DataError(
                f"{where}: {counted(found, 'area')} of the same color as the background may be holes, or "
                "background between arm and body; give a mask"
            )
    return patches > 0


def _large(flat: Mask) -> NDArray[np.int32]:
    """Number the connected patches that are large enough, ``(H, W)``; 0 elsewhere."""
    _, patches, stats, _ = cv2.connectedComponentsWithStats(flat.astype(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < max(16, MIN_HOLE * flat.size)
    numbered: NDArray[np.int32] = np.where(small[patches], 0, patches)
    return numbered


def _border(values: NDArray[np.generic]) -> NDArray[np.generic]:
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])


def _soft(patches: NDArray[np.int32], nearly_white: Mask) -> list[int]:
    """Return the numbers of the patches that are mostly surrounded by nearly white pixels."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    # float32 holds every number of a patch: there are fewer than 2**24
    grown = cv2.dilate(patches.astype(np.float32), cross).astype(np.int32)
    rim = (patches == 0) & (grown > 0)
    count = int(patches.max()) + 1
    around = np.bincount(grown[rim], minlength=count)
    fading = np.bincount(grown[rim & nearly_white], minlength=count)
    return [int(each) for each in np.flatnonzero((around > 0) & (fading > MAX_SOFT * around))]
