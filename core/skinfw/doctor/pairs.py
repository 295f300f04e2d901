"""The check that input and body are aligned."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from skinfw.components.field_names import APPAREL
from skinfw.data.segmentation import Mask, RgbImage
from skinfw.doctor.config import DoctorConfig
from skinfw.doctor.finding import Finding, severity_of
from skinfw.doctor.opened import Opened
from skinfw.errors import counted

_SHIFTED = 0.6
"""Fraction of the mean difference that may remain if a shift explains it. In 707 aligned street photos no
shift lowers the difference, not even as JPEG of quality 40; undoing a shift of one pixel or more leaves at
most 0.52 of it in 59 of them as JPEG of quality 75."""

_NEAR = range(-1, 2)
"""Pixels around a shift that are tried too: phase correlation may be off by one."""


def check_pair(sample: Opened, config: DoctorConfig) -> Iterator[Finding]:
    """Report an input whose kept pixels differ from the body's, or that is shifted against the body.

    A small shift of plain clothes changes few pixels much, so a shift counts whatever ``pair_fraction`` is.
    """
    apparel, kept, body = sample.apparel, sample.kept, sample.body
    if apparel is None or kept is None or body is None or not kept.any():
        return
    if not (difference := mean_difference(apparel, kept, body)):
        return
    right, down = best_shift(apparel, kept, body, sample.skin)
    shifted = mean_difference(apparel, kept, moved(body, right, down)) <= _SHIFTED * difference
    fraction = differing(apparel, kept, body, config.pair_tolerance)
    if not shifted and fraction <= config.pair_fraction:
        return
    found = (
        f"{APPAREL} is shifted against body, {_direction(right, down)}"
        if shifted
        else f"{fraction:.0%} of the pixels that {APPAREL} keeps look different in body, and no shift "
        "explains it; they may come from different photos"
    )
    yield Finding(
        "misaligned",
        (sample.name,),
        severity_of(fraction, config.pair_fraction),
        f"{found}: prepare the sample again, or exclude it",
    )


def mean_difference(apparel: RgbImage, kept: Mask, body: RgbImage) -> float:
    """Return the mean absolute difference of the kept pixels, in levels of 255."""
    return float(cv2.absdiff(apparel, body)[kept].mean())


def differing(apparel: RgbImage, kept: Mask, body: RgbImage, tolerance: int) -> float:
    """Return the fraction of the kept pixels that differ by more than ``tolerance`` levels in a channel."""
    return float((cv2.absdiff(apparel, body).max(axis=2)[kept] > tolerance).mean())


def best_shift(apparel: RgbImage, kept: Mask, body: RgbImage, skin: Mask | None) -> tuple[int, int]:
    """Return the offset of the input to the right of and below the body in pixels.

    Phase correlation finds large shifts. Of its result, no shift and what is a pixel away from either, the
    shift with the least mean difference is taken. The skin is blanked in the body, as in the input, so that
    it does not bias the peak.
    """
    hidden = np.zeros_like(kept) if skin is None else skin & ~kept
    bare = np.where(hidden[..., None], np.uint8(255), body)
    height, width = kept.shape
    window = cv2.createHanningWindow((width, height), cv2.CV_32F) if min(height, width) > 1 else None
    first, second = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) for image in (bare, apparel))
    (right, down), _ = cv2.phaseCorrelate(first, second, window)
    found = {(x + i, y + j) for x, y in ((0, 0), (round(right), round(down))) for i in _NEAR for j in _NEAR}
    # of equal shifts the smallest
    ordered = sorted(found, key=lambda shift: (abs(shift[0]) + abs(shift[1]), shift))
    return min(ordered, key=lambda shift: mean_difference(apparel, kept, moved(body, *shift)))


def moved(image: RgbImage, right: int, down: int) -> RgbImage:
    """Return the image moved by whole pixels, filled with white."""
    height, width = image.shape[:2]
    matrix = np.array([[1, 0, right], [0, 1, down]], np.float64)
    result = cv2.warpAffine(image, matrix, (width, height), borderValue=(255, 255, 255))
    return result.astype(np.uint8, copy=False)


def _direction(right: int, down: int) -> str:
    """Return an offset in words, for instance ``3 pixels to the left and 1 pixel up``."""
    across = f"{counted(abs(right), 'pixel')} to the {'right' if right > 0 else 'left'}" if right else ""
    along = f"{counted(abs(down), 'pixel')} {'down' if down > 0 else 'up'}" if down else ""
    return " and ".join(filter(None, (across, along)))
