"""Skin colors: of all people, and of one person as a robust normal distribution in CIE Lab."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.data.segmentation import Mask, RgbImage

MIN_PIXELS = 50
"""Minimum number of pixels for a color."""

TRIMMED = 0.75
"""Fraction of the pixels that the model is fitted to; the rest (hair, lips, glasses) is ignored."""

CONSISTENCY = 1.61
"""Factor from the covariance of the nearest three quarters to that of all, for three normal variables: the
fraction over that of the chi-squared distribution with 5 degrees of freedom at its own quantile with 3."""

_ROUNDS = 10
_MAX_PIXELS = 3000

_HARDLY_SEEN = (1.0, 1.0, 1.0)
_CAMERA = (2.5, 0.6, 0.6)
"""Minimum variance of skin in Lab: even uniform skin is not one color to a camera."""

CR, CB = (133, 180), (77, 130)
"""Ranges in YCrCb of all people's skin (Chai and Ngan 1999, a little wider), above `MIN_LUMA`."""

MIN_LUMA = 40

_LIMIT = 11.345
"""99% of a normal distribution in three dimensions lies within this squared Mahalanobis distance."""


@dataclass(frozen=True)
class SkinColor:
    """The colors of one person's skin.

    Attributes:
        mean: the mean color in CIE Lab (D65), L in [0, 100], float64 ``(3,)``.
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
        """Fit the distribution to most of the colors, without the farthest ones.

        It keeps the pixels nearest to the mean, computes their mean and covariance, and repeats
        (concentration steps of the minimum covariance determinant; Rousseeuw and Van Driessen 1999).

        Args:
            colors: L, a and b of pixels, float32 ``(N, 3)``; of many, an evenly spaced subset is used.
            noise: variance of L, a and b added to each covariance, before `CONSISTENCY`, for skin of one
                color; the default is hardly visible.
            narrow_start: start with the median deviation, to ignore a patch of one other color from the
                start; otherwise with the covariance of all, for skin that blends into hair.
        """
        values = colors[:: max(1, len(colors) // _MAX_PIXELS)].astype(np.float64)
        mean, covariance = np.median(values, axis=0), np.cov(values.T) + np.diag(noise)
        if narrow_start:
            # the median deviation of a normal distribution is 0.6745 standard deviations
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
        """Return the pixels of uint8 RGB ``(H, W, 3)`` with the color of this skin, bool ``(H, W)``."""
        found: Mask = self.distance(lab(image)) < _LIMIT
        return found


def skin_color(image: RgbImage, where: Mask) -> SkinColor | None:
    """Fit the colors of an image region that is mostly skin.

    Args:
        image: uint8 RGB ``(H, W, 3)``.
        where: the region, bool ``(H, W)``; eyes, lips and a label edge in it are ignored.

    Returns:
        the model, or None if the region has fewer than `MIN_PIXELS`.
    """
    colors = image[where]
    if len(colors) < MIN_PIXELS:
        return None
    return SkinColor.fitted(lab(colors[None])[0], _CAMERA, narrow_start=True)


def skin_like(image: RgbImage) -> Mask:
    """Return the pixels of an image, uint8 RGB, with a possible skin color, bool ``(H, W)``.

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
