"""The holes of a photo, as try-on systems leave them: transparent patches, or patches of one exact color."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.data.body_parts import ZONES
from skinfw.data.body_zones import zones_of_pose
from skinfw.data.keypoints import Keypoints
from skinfw.data.parts import dilate
from skinfw.data.resize import WHITE
from skinfw.data.segmentation import Mask, Segmentation
from skinfw.errors import DataError, counted
from skinfw.inference.background import REACH
from skinfw.inference.paint_mask import OPAQUE, Rgb, of_color
from skinfw.inference.source_photo import SourcePhoto
from skinfw.runtime.neighborhood import eroded

MIN_HOLE = 0.0002
"""Minimum size of a hole as a fraction of the photo; smaller flat patches are highlights."""

MAX_SOFT = 0.7
"""Maximum fraction of the pixels around a white hole that are soft.

In street photos of 512x512, 256x256 and 128x128 pixels, it is at least 0.75 around 1,065 overexposed patches
(729 photos), at most 0.53 around 4,076 pieces of skin that were erased (183 photos), and at most 0.66 around
12,228 of them before light walls of levels 230 to 244.
"""

ALMOST_WHITE = 248
"""Level of every channel from which a pixel beside white is soft: nobody sees the edge."""

NEARLY_WHITE = 224
"""Level of every channel from which a pixel beside white is soft if the photo fades out there."""

FADING = 8
"""Levels by which a pixel within 2 pixels is darker where a photo fades out; a light wall does not."""

EXACT, MIN_EXACT = 2, 0.4
"""Levels within which a pixel has a given color exactly, and the minimum fraction of a hole's pixels that do.

Of 300 holes drawn into photos of 512x512 and saved as JPEG with quality 60 to 90, 99% of the area is found;
of what nearly has such a color in the photos themselves, such as walls and black trousers, 5%.
"""

MAX_NEAR, RIM = 0.1, 3
"""Maximum pixels of nearly its color around a hole with hard edges, as a fraction of the pixels of its
border, and the width in pixels of the rim of any other hole. It is painted too, as it is mixed with the
hole's color.

Of holes drawn into street photos of 512x512, nine in ten have at most 0.05 in PNG files (the others lie
before the same color), and all have at least 0.14 in JPEG files with quality 60 to 100. The rims in JPEG
files are wrong by 20, 9 and 5 levels at a distance of 1, 2 and 3 pixels (quality 75).
"""

MIN_FLAT_BORDER = 0.02
"""Fraction of the photo's border that is white or transparent from which its background is."""

_LIMBS = [ZONES.index(zone) for zone in ("neck", "torso", "arm", "hand", "thigh", "shin", "foot")]


class NoHoleError(DataError):
    """A photo has no hole, so something else must say what to paint."""

    @property
    def found(self) -> str:
        """What was found, without advice."""
        return super().__str__()

    def __str__(self) -> str:
        return (
            f"{self.found}; give a mask (--mask), a region (--region), limbs to expose (--expose), or the "
            "color of the holes (--mask-color 255,255,255)"
        )


@dataclass(frozen=True)
class Holes:
    """The holes of a photo.

    Attributes:
        mask: bool ``(H, W)``.
        soft: number of white patches that are not holes, as they fade out like overexposed cloth.
        shaded: number of patches that come near a given color but are shaded.
        beside: number of patches that touch neither limbs nor trunk.
        behind: number of patches that may as well be the background.
        flat_border: whether the photo's border is white or transparent too, so that a hole may be background.
    """

    mask: Mask
    soft: int = 0
    shaded: int = 0
    beside: int = 0
    behind: int = 0
    flat_border: bool = False

    def check(self, where: object, color: Rgb | None = None) -> None:
        """Raise DataError if there are none; ``where`` names the photo.

        Raises:
            NoHoleError: there are none, and no color says which ones.
        """
        if self.mask.any():
            return
        if color is not None:
            raise DataError(
                f"{where}: has no flat area of the color {','.join(map(str, color))}; give a mask"
            )
        soft = (
            f" ({counted(self.soft, 'white area')} with soft edges, as overexposed cloth and holes in a JPEG "
            "have, not counted)"
        )
        raise NoHoleError(f"{where}: has no transparent or flat white hole{soft if self.soft else ''}")

    def warnings(self) -> tuple[str, ...]:
        """Return what was not painted, for the user."""
        kinds = [
            (self.soft, "white area", "with soft edges"),
            (self.shaded, "shaded area", "of nearly that color"),
            (self.beside, "hole", "beside limbs and trunk"),
            (self.behind, "hole", "that may be background"),
        ]
        return tuple(
            f"{counted(count, what)} {which}: not painted; give a mask to paint "
            f"{'it' if count == 1 else 'them'}"
            for count, what, which in kinds
            if count
        )


def holes_of(source: SourcePhoto, color: Rgb | None = None) -> Holes:
    """Find the holes of a photo: transparent or flat white patches that do not reach its border.

    A white hole has hard edges. Overexposed cloth, and a hole in a JPEG, fade out. If there are transparent
    holes, white ones do not count.

    Args:
        source: the photo.
        color: the color of the holes instead; they may have any edges, and reach the border.
    """
    if color is not None:
        return _of_one_color(source.photo.pixels, color)
    if source.alpha is not None:
        clear: Mask = source.alpha < OPAQUE
        patches = _inside(clear)
        if patches.any():
            return Holes(patches > 0, flat_border=_flat_border(clear))
    white: Mask = (source.photo.pixels == WHITE).all(axis=-1)
    patches = _inside(white)
    soft = _soft(patches, source.photo.pixels.min(axis=-1))
    patches[np.isin(patches, soft)] = 0
    return Holes(patches > 0, len(soft), flat_border=_flat_border(white))


def holes_on_body(holes: Holes, labels: Segmentation, pose: Keypoints, where: object) -> Holes:
    """Return the holes in which skin may be missing: on or at limbs, neck or trunk.

    Args:
        holes: the holes.
        labels: the photo's label map.
        pose: the person's pose in its pixels.
        where: names the photo in errors.

    Raises:
        DataError: there are none, or each may as well be the background between arm and body.
    """
    count, patches = cv2.connectedComponents(holes.mask.astype(np.uint8), connectivity=4)
    zones = zones_of_pose(pose, labels.labels.shape, REACH, within=holes.mask)
    if zones is not None:
        at_limbs = np.unique(patches[holes.mask & np.isin(zones, _LIMBS)])
        patches[~np.isin(patches, at_limbs)] = 0
    found = int(np.count_nonzero(np.unique(patches)))
    if not found:
        raise DataError(f"{where}: its holes do not touch neck, trunk or limbs; give a mask")
    left = found
    if holes.flat_border:
        behind = np.bincount(patches[labels.region("background")], minlength=patches.max() + 1)
        patches[(behind > np.bincount(patches.ravel()) / 2)[patches]] = 0
        if not patches.any():
            raise DataError(
                f"{where}: {counted(found, 'area')} of the same color as the background may be holes, or "
                "background between arm and body; give a mask"
            )
        left = int(np.count_nonzero(np.unique(patches)))
    return replace(holes, mask=patches > 0, beside=count - 1 - found, behind=found - left)


def _large(flat: Mask) -> NDArray[np.int32]:
    """Number the connected patches that are large enough, from 1, ``(H, W)``; 0 elsewhere."""
    _, patches, stats, _ = cv2.connectedComponentsWithStats(flat.astype(np.uint8), connectivity=4)
    large = stats[:, cv2.CC_STAT_AREA] >= max(16, MIN_HOLE * flat.size)
    large[0] = False
    numbered: NDArray[np.int32] = np.where(large, np.cumsum(large), 0).astype(np.int32)[patches]
    return numbered


def _of_one_color(pixels: NDArray[np.uint8], color: Rgb) -> Holes:
    """Return the patches that nearly have a color, but are not shaded as cloth and walls are.

    The rim of a patch with blurred edges, as in a JPEG, belongs to it.
    """
    patches = _large(of_color(pixels, color))
    area = np.bincount(patches.ravel())
    exact = np.bincount(patches[of_color(pixels, color, EXACT)], minlength=len(area))
    flat = exact >= MIN_EXACT * area
    flat[0] = False
    mask = np.zeros_like(patches, bool)
    for number in np.flatnonzero(flat):
        mask |= _hole(patches == number, pixels)
    return Holes(mask, shaded=len(area) - 1 - int(flat.sum()))


def _hole(patch: Mask, pixels: NDArray[np.uint8]) -> Mask:
    """Return the pixels of a patch that have its color, or the patch and its rim if its edges are blurred."""
    exact: Mask = patch & (pixels == np.median(pixels[patch], axis=0)).all(axis=-1)
    border = exact & ~eroded(exact, 1)
    near = patch & ~exact & dilate(exact, 1)
    if np.count_nonzero(near) <= MAX_NEAR * np.count_nonzero(border):
        return exact
    return dilate(patch, RIM)


def _inside(flat: Mask) -> NDArray[np.int32]:
    """Number the large patches that do not reach the border, where the background is flat too."""
    patches = _large(flat)
    patches[np.isin(patches, _border(patches))] = 0
    return patches


def _flat_border(flat: Mask) -> bool:
    return bool(_border(flat).mean() >= MIN_FLAT_BORDER)


def _border(values: NDArray[np.generic]) -> NDArray[np.generic]:
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])


def _soft(patches: NDArray[np.int32], levels: NDArray[np.uint8]) -> list[int]:
    """Return the numbers of the white patches that mostly fade out.

    Args:
        patches: the number of each patch, ``(H, W)``; 0 elsewhere.
        levels: the lowest of each pixel's channels, ``(H, W)``.
    """
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    # float32 holds every number of a patch: each is at least 0.02% of the photo
    grown = cv2.dilate(patches.astype(np.float32), cross).astype(np.int32)
    rim = (patches == 0) & (grown > 0)
    darkest = cv2.erode(levels, np.ones((5, 5), np.uint8))
    fades = (levels >= NEARLY_WHITE) & (levels - darkest >= FADING)
    soft = fades | (levels >= ALMOST_WHITE)
    count = int(patches.max()) + 1
    around = np.bincount(grown[rim], minlength=count)
    softly = np.bincount(grown[rim & soft], minlength=count)
    return [int(each) for each in np.flatnonzero((around > 0) & (softly > MAX_SOFT * around))]
