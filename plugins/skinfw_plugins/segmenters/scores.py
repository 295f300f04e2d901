"""From a network's scores on a coarse grid to a class for every pixel."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw.components.config import Size
from skinfw.data.segmentation import LabelMap
from skinfw.errors import DataError


def best_class(scores: NDArray[np.float32], size: Size, network: str) -> LabelMap:
    """Return the class with the highest score at every pixel; in a tie, the first.

    Scores are resized bilinearly before the comparison, like PyTorch's ``interpolate`` with
    ``align_corners=False``; one class after another, as all at once would not fit in memory for a large
    photo.

    Args:
        scores: float32 ``(K, h, w)`` of at most 256 classes.
        size: output height and width in pixels.
        network: the source of the scores, for the error.

    Returns:
        codes of the classes, uint8 ``(H, W)``.

    Raises:
        DataError: a score is NaN or infinity, so it cannot be compared.
    """
    if not np.isfinite(scores).all():
        raise DataError(
            f"{network}: its scores for this photo are not finite (NaN or infinity); its weights are "
            "damaged, or too large for its precision"
        )
    labels = np.zeros(size, np.uint8)
    best: NDArray[np.float32] | None = None
    for code, coarse in enumerate(scores):
        fine = np.asarray(
            cv2.resize(
                np.ascontiguousarray(coarse, np.float32), (size[1], size[0]), interpolation=cv2.INTER_LINEAR
            ),
            np.float32,
        )
        if best is None:
            best = fine
        else:
            labels[fine > best] = code
            np.maximum(best, fine, out=best)
    return labels


def confidence(logits: NDArray[np.float32], person: Sequence[bool]) -> float | None:
    """Return how sure a network is: the mean probability of the labels of the person's pixels.

    Args:
        logits: float32 ``(K, h, w)``, finite.
        person: whether each class belongs to the person.

    Returns:
        in [0, 1]; None if no pixel is labeled as the person.

    Example:
        >>> logits = np.log(np.array([[[0.9, 0.2]], [[0.1, 0.8]]], np.float32))
        >>> round(confidence(logits, [False, True]), 3)
        0.8
    """
    there = np.array(person)[logits.argmax(axis=0)]
    if not there.any():
        return None
    seen = logits[:, there].astype(np.float64)
    return float((1 / np.exp(seen - seen.max(axis=0)).sum(axis=0)).mean())
