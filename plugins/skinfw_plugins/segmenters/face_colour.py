"""The colour of a person's skin, learnt from the face in the same photo."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.data.segmentation import Mask, Picture

CR, CB = (133, 180), (77, 130)
"""Ranges in YCrCb that skin falls into (Chai and Ngan 1999, a little wider), above `LEAST_LUMA`."""

LEAST_LUMA = 40

TRIMMED = 0.75
"""Share of the pixels that the model is fitted to; the rest (hair, lips, glasses) is left out."""

CONSISTENCY = 1.61
"""Factor that makes the covariance of the nearest three quarters that of all, for three normal variables: the
share over that of the chi-squared distribution with 5 degrees of freedom at its own quantile with 3."""

_ROUNDS = 10
_MOST = 3000


@dataclass(frozen=True)
class FaceColour:
    """A normal distribution of colour in CIE Lab.

    Attributes:
        mean: L in [0, 100], a and b, float64 ``(3,)``.
        covariance: float64 ``(3, 3)``.
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]

    @classmethod
    def fitted(cls, colours: NDArray[np.float32]) -> FaceColour:
        """Fit the distribution to most of some colours, leaving out those that lie farthest.

        The pixels nearest to the mean are kept, mean and covariance taken of them, and so on (concentration
        steps; Rousseeuw and Van Driessen 1999).

        Args:
            colours: L, a and b of pixels, float32 ``(N, 3)``; of many, every so manieth is taken.
        """
        values = colours[:: max(1, len(colours) // _MOST)].astype(np.float64)
        mean, covariance = np.median(values, axis=0), _covariance(values)
        for _ in range(_ROUNDS):
            distance = cls(mean, covariance).distance(values)
            near = values[distance <= np.quantile(distance, TRIMMED)]
            mean, covariance = near.mean(axis=0), _covariance(near) * CONSISTENCY
        return cls(mean, covariance)

    def distance(self, colours: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the squared Mahalanobis distance of colours ``(..., 3)`` in Lab, float64 ``(...)``."""
        off = colours - self.mean
        squared: NDArray[np.float64] = np.einsum(
            "...i,ij,...j->...", off, np.linalg.inv(self.covariance), off
        )
        return squared


def _covariance(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the covariance; one unit more, which the eye hardly sees, for a face of one colour."""
    return np.cov(values.T) + np.eye(3)


def lab(picture: Picture) -> NDArray[np.float32]:
    """Return a picture, uint8 RGB, in CIE Lab: L in [0, 100], float32 ``(H, W, 3)``."""
    return cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).astype(np.float32, copy=False)


def skin_like(picture: Picture) -> Mask:
    """Return where a picture, uint8 RGB, has a colour that anybody's skin may have, bool ``(H, W)``."""
    luma, red, blue = cv2.split(cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb))
    within = (red >= CR[0]) & (red <= CR[1]) & (blue >= CB[0]) & (blue <= CB[1])
    found: Mask = within & (luma > LEAST_LUMA)
    return found
