"""Finds how a photo was fitted into a result, by the correlation of the pixels outside the garment."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.data.parts import dilate
from skinfw.data.photo import WHITE
from skinfw.data.segmentation import Mask, RgbImage, Segmentation
from skinfw.errors import DataError
from skinfw.repair.geometry import Geometry, geometries

MIN_CORRELATION = 0.7
"""Minimum correlation of a fit that counts.

On 40 photos of 512x512 with another person's clothes, resized through half their size and tinted, the right
fit reached at least 0.966; the same photos moved by 2% of their width at most 0.649; photos of other people
at most 0.193 (``benchmarks/repair.py``).
"""

_SIDE = 512
"""Longer side at which the correlation is computed."""

_FINE, _COARSE = 1.0, 6.0
"""Standard deviations at `_SIDE` of the band of details that is compared: finer ones are lost when a system
resizes, and coarser ones are the same in many photos."""

_MIN_PIXELS = 200
_MARGIN = 0.006
"""Dilation of the garments, as a fraction of the longer side: their edges belong to them."""


@dataclass(frozen=True)
class Alignment:
    """The geometry of a result.

    Attributes:
        geometry: the geometry that fits best.
        correlation: its correlation, in [-1, 1].
        others: the correlations of the other possible fits, by name.
    """

    geometry: Geometry
    correlation: float
    others: dict[str, float]


def align(
    person: RgbImage, result: RgbImage, parse_person: Segmentation, parse_result: Segmentation
) -> Alignment:
    """Find how a photo was fitted into a result.

    Both are reduced to a band of details, in which tint and blur hardly count, and compared where neither
    shows a garment and both or neither show skin.

    Args:
        person: the photo, uint8 RGB ``(H, W, 3)``.
        result: the result, uint8 RGB ``(h, w, 3)``.
        parse_person: segmentation of the photo.
        parse_result: segmentation of the result.

    Raises:
        DataError: no known geometry reaches `MIN_CORRELATION`, or too little is visible outside the garment.
    """
    found = correlations(person, result, parse_person, parse_result)
    best = max(found, key=found.__getitem__)
    by_fit = {each.fit: round(value, 4) for each, value in found.items()}
    if not found[best] >= MIN_CORRELATION:
        tried = ", ".join(f"{fit} {value:.2f}" for fit, value in by_fit.items())
        raise DataError(
            "the result does not show this photo in a known geometry: outside garments the best correlation "
            f"is {found[best]:.2f}, below {MIN_CORRELATION} (tried: {tried}); check that the pair belongs "
            "together, or undo the other crop or shift first"
        )
    return Alignment(best, found[best], {fit: value for fit, value in by_fit.items() if fit != best.fit})


def correlations(
    person: RgbImage, result: RgbImage, parse_person: Segmentation, parse_result: Segmentation
) -> dict[Geometry, float]:
    """Return the correlation of each possible geometry; see `align` for the arguments."""
    found = {}
    for geometry in geometries((person.shape[0], person.shape[1]), result):
        # padding is white in the placed photo; another level would look like an edge
        made = np.where(geometry.shown[..., None], result, np.uint8(WHITE))
        details = _details(geometry.image(person)), _details(made)
        found[geometry] = _correlation(*details, _compared(geometry, parse_person, parse_result))
    return found


def _details(image: RgbImage) -> NDArray[np.float32]:
    """Return the band of details of an image's gray levels, float32 ``(H, W)``, at `_SIDE` or smaller."""
    height, width = image.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    unit = max(size) / _SIDE
    fine, coarse = (cv2.GaussianBlur(small, (0, 0), max(0.5, sigma * unit)) for sigma in (_FINE, _COARSE))
    return np.asarray(fine - coarse, np.float32)


def _compared(geometry: Geometry, parse_person: Segmentation, parse_result: Segmentation) -> Mask:
    """Return the pixels of the result that should look as in the photo, bool ``(H, W)``."""
    placed = geometry.segmentation(parse_person)
    garment = placed.region("apparel") | parse_result.region("apparel")
    bared = placed.region("skin") ^ parse_result.region("skin")
    margin = max(1, round(_MARGIN * max(geometry.size)))
    return geometry.shown & ~dilate(garment, margin) & ~bared


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32], where: Mask) -> float:
    """Return Pearson's correlation of two images over a mask of another size; -1 if it is undefined."""
    size = (one.shape[1], one.shape[0])
    small = cv2.resize(where.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
    pair = one[small].astype(np.float64), other[small].astype(np.float64)
    if len(pair[0]) < _MIN_PIXELS or min(each.std() for each in pair) == 0:
        return -1.0
    return float(np.corrcoef(*pair)[0, 1])
