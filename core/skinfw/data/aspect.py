"""Aspect ratios of samples before resizing: a network expects those that it was trained on."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from skinfw.components.config import Size
from skinfw.errors import DataError

TOLERANCE = 0.1
"""How much higher or wider, as a fraction, a sample may be than the training samples. Crops by ``prepare``
are within 2% of their aspect even if the person is only 16 pixels high."""

Aspects = tuple[float, float]
"""Minimum and maximum of height over width of a network's training samples."""


def widened(aspects: Aspects | None, sizes: Iterable[Size]) -> Aspects | None:
    """Return a range that includes the aspects of images with these sizes (height, width).

    Example:
        >>> widened(None, [(128, 64), (96, 64)])
        (1.5, 2.0)
    """
    found = [height / width for height, width in sizes]
    if not found:
        return aspects
    low, high = aspects or (math.inf, 0.0)
    return min(low, *found), max(high, *found)


def read_aspects(value: Any, trained: Size) -> Aspects:
    """Return the range recorded in a checkpoint; without one, the aspect of the trained size."""
    plain = trained[0] / trained[1]
    if not isinstance(value, list) or len(value) != 2:
        return plain, plain
    numbers = [each for each in value if isinstance(each, int | float) and math.isfinite(each) and each > 0]
    return (min(numbers), max(numbers)) if len(numbers) == 2 else (plain, plain)


def fits(size: Size, aspects: Aspects) -> bool:
    """Return whether the aspect of an image (height, width) is about in a range; see `TOLERANCE`.

    Example:
        >>> fits((128, 64), (1.5, 2.0)), fits((64, 64), (1.5, 2.0))
        (True, False)
    """
    aspect = size[0] / size[1]
    return aspects[0] / (1 + TOLERANCE) <= aspect <= aspects[1] * (1 + TOLERANCE)


def reject_other_shape(size: Size | None, aspects: Aspects, trained: Size, where: Path) -> None:
    """Reject a sample whose shape differs from the training samples.

    Args:
        size: height and width of the sample before it was resized; None if it was not.
        aspects: those of the training samples.
        trained: height and width of the training images in pixels.
        where: the sample, for the error.

    Raises:
        DataError: it is higher or wider.
    """
    if size is None or fits(size, aspects):
        return
    low, high = aspects
    shown = f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
    raise DataError(
        f"{where}: {size[0]}x{size[1]} pixels (height x width), "
        f"{size[0] / size[1]:.2f} times as high as wide; the run was trained on samples "
        f"{shown} times as high as wide, at {trained[0]}x{trained[1]}, and resizing would distort "
        "the person. Prepare the photo like the training photos, for example with "
        f"--crop person --aspect {low:.3g}"
    )
