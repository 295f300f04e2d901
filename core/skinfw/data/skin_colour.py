"""A model of one person's skin colour: a robust normal distribution in CIE Lab."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.data.segmentation import Mask, Picture

LEAST_PIXELS = 50
"""Fewer pixels tell no colour."""

_MOST_PIXELS = 20_000
_KEPT_SHARE = 0.75
_STEPS = 5

_NOISE = np.diag([4.0, 1.0, 1.0])
"""Variance that every skin has at least, in Lab: evenly painted skin is not one colour to a camera."""

_LIMIT = 11.345
"""99% of a normal distribution in three dimensions lies within this squared Mahalanobis distance."""


@dataclass(frozen=True)
class SkinColour:
    """The colours of one person's skin.

    Attributes:
        mean: the middle colour in CIE Lab (D65), float64 ``(3,)``.
        whitening: turns colours less the mean into ones of unit variance, float64 ``(3, 3)``.
    """

    mean: NDArray[np.float64]
    whitening: NDArray[np.float64]

    def like(self, picture: Picture) -> Mask:
        """Return which pixels of uint8 RGB ``(H, W, 3)`` have the colour of this skin, bool ``(H, W)``."""
        white = (_lab(picture) - self.mean.astype(np.float32)) @ self.whitening.astype(np.float32)
        found: Mask = np.square(white).sum(axis=2) < _LIMIT
        return found


def skin_colour(picture: Picture, where: Mask) -> SkinColour | None:
    """Fit the colours of a region that is skin for the most part.

    The mean and covariance are those of the three quarters of the pixels that lie closest together, found by
    the concentration steps of the minimum covariance determinant (Rousseeuw and Van Driessen, 1999), so that
    eyes, lips and a label edge do not count.

    Args:
        picture: uint8 RGB ``(H, W, 3)``.
        where: the region, bool ``(H, W)``.

    Returns:
        the model, or None where the region has fewer than `LEAST_PIXELS`.
    """
    colours = picture[where]
    if len(colours) < LEAST_PIXELS:
        return None
    colours = _lab(colours[:: -(-len(colours) // _MOST_PIXELS)][None])[0].astype(np.float64)
    mean = np.median(colours, axis=0)
    covariance = np.diag(np.median(np.abs(colours - mean), axis=0) ** 2 * 2.2) + _NOISE
    for _ in range(_STEPS):
        apart = colours - mean
        squared = np.einsum("ni,ij,nj->n", apart, np.linalg.inv(covariance), apart)
        closest = colours[squared <= np.quantile(squared, _KEPT_SHARE)]
        # the inner three quarters of a normal distribution have 0.59 of its variance in three dimensions
        mean, covariance = closest.mean(axis=0), np.cov(closest.T) / 0.621 + _NOISE
    return SkinColour(mean, np.linalg.cholesky(np.linalg.inv(covariance)))


def _lab(pixels: Picture) -> NDArray[np.float32]:
    """Return uint8 RGB ``(H, W, 3)`` in CIE Lab, float32: lightness in [0, 100]."""
    scaled = np.ascontiguousarray(pixels).astype(np.float32) / 255
    return cv2.cvtColor(scaled, cv2.COLOR_RGB2Lab).astype(np.float32, copy=False)
