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


def check_pair(sample: Opened, config: DoctorConfig) -> Iterator[Finding]:
    """Report an input whose kept pixels differ from the body's, with the shift if there is one."""
    apparel, kept, body = sample.apparel, sample.kept, sample.body
    if apparel is None or kept is None or body is None or not kept.any():
        return
    fraction = differing(apparel, kept, body, config.pair_tolerance)
    if fraction <= config.pair_fraction:
        return
    right, down = best_shift(apparel, kept, body, sample.skin)
    moved = _moved(body, right, down)
    shifted = (right or down) and differing(apparel, kept, moved, config.pair_tolerance) < fraction / 2
    found = (
        f"the input lies {abs(right)} pixels {'right' if right > 0 else 'left'} and {abs(down)} pixels "
        f"{'down' if down > 0 else 'up'} of the body"
        if shifted
        else "no shift explains it; they may come from different photos"
    )
    yield Finding(
        "misaligned",
        (sample.name,),
        severity_of(fraction, config.pair_fraction),
        f"{fraction:.0%} of the kept pixels of {APPAREL} are not those of body: {found}; prepare it again",
    )


def differing(apparel: RgbImage, kept: Mask, body: RgbImage, tolerance: int) -> float:
    """Return the fraction of the kept pixels that differ by more than ``tolerance`` levels in a channel."""
    return float((cv2.absdiff(apparel, body).max(axis=2)[kept] > tolerance).mean())


def best_shift(apparel: RgbImage, kept: Mask, body: RgbImage, skin: Mask | None) -> tuple[int, int]:
    """Return the offset of the input to the right of and below the body in pixels, by phase correlation.

    The skin is blanked in the body, as in the input, so that it does not bias the peak.
    """
    hidden = np.zeros_like(kept) if skin is None else skin & ~kept
    bare = np.where(hidden[..., None], np.uint8(255), body)
    height, width = kept.shape
    window = cv2.createHanningWindow((width, height), cv2.CV_32F) if min(height, width) > 1 else None
    first, second = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) for image in (bare, apparel))
    (right, down), _ = cv2.phaseCorrelate(first, second, window)
    return round(right), round(down)


def _moved(image: RgbImage, right: int, down: int) -> RgbImage:
    """Return the image moved by whole pixels, filled with white."""
    height, width = image.shape[:2]
    matrix = np.array([[1, 0, right], [0, 1, down]], np.float64)
    moved = cv2.warpAffine(image, matrix, (width, height), borderValue=(255, 255, 255))
    return moved.astype(np.uint8, copy=False)
