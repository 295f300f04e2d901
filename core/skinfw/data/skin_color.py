"""The colors of skin: anybody's, and one person's as a robust normal distribution in CIE Lab."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.data.segmentation import Mask, RgbImage

MIN_PIXELS = 50
"""Fewer pixels tell no color."""

TRIMMED = 0.75
"""Fraction of the pixels that the model is fitted to; the rest (hair, lips, glasses) is left out."""

CONSISTENCY = 1.61
"""Factor that makes the covariance of the nearest three quarters that of all, for three normal variables: the
share over that of the chi-squared distribution with 5 degrees of freedom at its own quantile with 3."""

_ROUNDS = 10
_MAX_PIXELS = 3000

_HARDLY_SEEN = (1.0, 1.0, 1.0)
_CAMERA = (2.5, 0.6, 0.6)
"""Variance in Lab that every skin has at least: evenly painted skin is not one color to a camera."""

CR, CB = (133, 180), (77, 130)
"""Ranges in YCrCb that anybody's skin falls into (Chai and Ngan 1999, a little wider), above `MIN_LUMA`."""

MIN_LUMA = 40

_LIMIT = 11.345
"""99% of a normal distribution in three dimensions lies within this squared Mahalanobis distance."""


@dataclass(frozen=True)
class SkinColor:
    """The colors of one person's skin.

    Attributes:
        mean: the middle color in CIE Lab (D65), L in [0, 100], float64 ``(3,)``.
        covariance: of L, a and b, float64 ``(3, 3)``.
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]

    @classmethod
    def fitted(
        cls,
        colors: NDArray[np.float32],
        noise: tuple[float, float, float] = _HARDLY_SEEN,
        *,
        narrow_start: bool = False,
    ) -> SkinColor:
        """Fit the distribution to most of some colors, leaving out those that lie farthest.

        The pixels nearest to the mean are kept, mean and covariance taken of them, and so on (concentration
        steps of the minimum covariance determinant; Rousseeuw and Van Driessen 1999).

        Args:
            colors: L, a and b of pixels, float32 ``(N, 3)``; of many, an evenly spaced part is taken.
            noise: variance of L, a and b that each covariance gets on top, before `CONSISTENCY`, for skin of
                one color; by default so little that the eye hardly sees it.
            narrow_start: begin with the median deviation, so that a patch of one other color is left out
                from the first; else with the covariance of all, for skin that runs over into hair.
        """
        values = colors[:: max(1, len(colors) // _MAX_PIXELS)].astype(np.float64)
        mean, covariance = np.median(values, axis=0), np.cov(values.T) + np.diag(noise)
        if narrow_start:
            # the median deviation of a normal distribution is 0.6745 of its standard deviation
            deviation = np.median(np.abs(values - mean), axis=0) / 0.6745
            covariance = np.diag(deviation**2 + noise)
        for _ in range(_ROUNDS):
            distance = cls(mean, covariance).distance(values)
            near = values[distance <= np.quantile(distance, TRIMMED)]
            mean, covariance = near.mean(axis=0), (np.cov(near.T) + np.diag(noise)) * CONSISTENCY
        return cls(mean, covariance)

    def distance(self, colors: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the squared Mahalanobis distance of colors ``(..., 3)`` in Lab, float64 ``(...)``."""
        off = colors - self.mean
        squared: NDArray[np.float64] = np.einsum("...i,...i", off @ np.linalg.inv(self.covariance), off)
        return squared

    def like(self, image: RgbImage) -> Mask:
        """Return which pixels of uint8 RGB ``(H, W, 3)`` have the color of this skin, bool ``(H, W)``."""
        found: Mask = self.distance(lab(image)) < _LIMIT
        return found


def skin_color(image: RgbImage, where: Mask) -> SkinColor | None:
    """Fit the colors of a region of an image that is skin for the most part.

    Args:
        image: uint8 RGB ``(H, W, 3)``.
        where: the region, bool ``(H, W)``; eyes, lips and a label edge in it do not count.

    Returns:
        the model, or None where the region has fewer than `MIN_PIXELS`.
    """
    colors = image[where]
    if len(colors) < MIN_PIXELS:
        return None
    return SkinColor.fitted(lab(colors[None])[0], _CAMERA, narrow_start=True)


def skin_like(image: RgbImage) -> Mask:
    """Return where an image, uint8 RGB, has a color that anybody's skin may have, bool ``(H, W)``.

    Example:
        >>> skin_like(np.array([[[224, 172, 105], [0, 0, 255]]], np.uint8)).tolist()
        [[True, False]]
    """
    luma, red, blue = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb))
    within = (red >= CR[0]) & (red <= CR[1]) & (blue >= CB[0]) & (blue <= CB[1])
    found: Mask = within & (luma > MIN_LUMA)
    return found


def lab(image: RgbImage) -> NDArray[np.float32]:
    """Return an image, uint8 RGB, in CIE Lab (D65): L in [0, 100], float32 ``(H, W, 3)``."""
    scaled = np.ascontiguousarray(image).astype(np.float32) / 255
    return cv2.cvtColor(scaled, cv2.COLOR_RGB2Lab).astype(np.float32, copy=False)
