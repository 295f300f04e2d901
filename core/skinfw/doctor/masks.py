"""Checks of the skin mask and of the label map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np

from skinfw.components.field_names import MASK, SKIN
from skinfw.data.plausibility import check_label_map
from skinfw.data.sample_folder import PARSING_FILE, RECORD_FILE
from skinfw.data.segmentation import Mask, Segmentation
from skinfw.doctor.config import DoctorConfig
from skinfw.doctor.finding import WORST, Finding, severity_of
from skinfw.doctor.opened import Opened

_MAX_POINTS = 0.6
"""Fraction of points on the person required to compare the label map with the pose."""


def check_mask(sample: Opened, config: DoctorConfig) -> Iterator[Finding]:
    """Report masks that are not binary, that are empty, or that do not fit the images."""
    yield from _check_inpainting_mask(sample, config)
    if sample.skin is None:
        return
    gray = sample.mask_gray
    if gray > config.mask_gray:
        yield _of(
            sample,
            gray,
            config.mask_gray,
            f"{gray:.1%} of the pixels of {SKIN} are neither black nor white; write the mask white on black",
        )
    if not sample.skin.any():
        message = f"{SKIN} is all black: there is nothing to inpaint; exclude the sample, or segment it again"
        yield Finding("mask", (sample.name,), WORST, message)
    elif sample.person is not None:
        outside = float((~sample.person)[sample.skin].mean())
        if outside > config.mask_outside:
            yield _of(
                sample,
                outside,
                config.mask_outside,
                f"{outside:.0%} of {SKIN} lies outside the person; it may be inverted, or belong to another "
                "image",
            )


def _check_inpainting_mask(sample: Opened, config: DoctorConfig) -> Iterator[Finding]:
    """Report an inpainting mask that is empty, or that covers kept pixels of the input."""
    if sample.to_inpaint is None:
        return
    if not sample.to_inpaint.any():
        message = f"{MASK} is all black: there is nothing to inpaint; exclude the sample, or segment it again"
        yield Finding("mask", (sample.name,), WORST, message)
        return
    for measured, problem in (
        (_fraction(sample.to_inpaint, sample.person, inside=False), "of {} lies outside the person"),
        (_fraction(sample.to_inpaint, sample.kept, inside=True), "of {} is kept by the input"),
    ):
        if measured > config.mask_outside:
            message = f"{measured:.0%} {problem.format(MASK)}; it may be inverted, or belong to another image"
            yield _of(sample, measured, config.mask_outside, message)
            return


def _fraction(mask: Mask, other: Mask | None, *, inside: bool) -> float:
    """Return the fraction of a mask that is inside or outside another one; 0 if unknown."""
    return 0.0 if other is None else float((other[mask] == inside).mean())


def _of(sample: Opened, measured: float, allowed: float, message: str) -> Finding:
    return Finding("mask", (sample.name,), severity_of(measured, allowed), message)


def check_labels(sample: Opened, config: DoctorConfig) -> Iterator[Finding]:
    """Report a label map whose codes or palette do not fit its classes, or whose skin is not the mask's."""
    labels = sample.labels
    if labels is None:
        return
    classes = sample.record.get("classes")
    if not isinstance(classes, list):
        return
    strange = [int(code) for code in np.unique(labels) if code >= len(classes)]
    if strange:
        codes = ", ".join(map(str, strange[:8])) + (" and more" if len(strange) > 8 else "")
        yield _labels(
            sample,
            WORST,
            f"{PARSING_FILE} holds the codes {codes}, but {RECORD_FILE} names only {len(classes)} classes "
            f"(0 to {len(classes) - 1}); the map uses another label set",
        )
        return
    if error := _table_error(sample):
        yield _labels(sample, WORST, f"{RECORD_FILE} {error}; prepare the sample again")
        return
    yield from _check_plausible(sample)
    yield from _check_agreement(sample, config)


def _table_error(sample: Opened) -> str:
    """Return why the record's classes and regions are invalid, or an empty text."""
    if sample.table is None:
        return ""
    if (twice := _twice(sample.table.classes)) is not None:
        return f"names the class {twice!r} twice"
    if (twice := _twice(chain(*sample.table.regions.values()))) is not None:
        return f"puts the class {twice!r} into two regions"
    return ""


def _twice(names: Iterable[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)


def _labels(sample: Opened, severity: float, message: str) -> Finding:
    return Finding("labels", (sample.name,), severity, message)


def _check_plausible(sample: Opened) -> Iterator[Finding]:
    """Report regions in impossible positions."""
    head, feet = sample.region("head"), sample.region("feet")
    if head is None or feet is None or not head.any() or not feet.any():
        upright = True
    else:
        upright = bool(np.nonzero(head)[0].mean() <= np.nonzero(feet)[0].mean())
    # the head of a standing person is above the feet
    if not upright:
        message = "the head lies below the feet: the palette of the label map is wrong; choose another one"
        yield _labels(sample, WORST / 2, message)
        return
    if sample.labels is None or sample.table is None or not _on_person(sample):
        return
    found = Segmentation(sample.labels, sample.table.classes, sample.table.regions)
    _, wrong = check_label_map(found, sample.keypoints, {}) if sample.keypoints is not None else ({}, "")
    if wrong:
        yield _labels(sample, WORST / 2, f"{PARSING_FILE}: {wrong}")


def _on_person(sample: Opened) -> bool:
    """Return whether most of the pose is on the person; otherwise the pose check reports it."""
    if sample.person is None or sample.keypoints is None:
        return False
    found = sample.keypoints.points[sample.keypoints.found(), :2]
    x, y = np.floor(found).astype(int).T
    height, width = sample.person.shape
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    return bool(np.count_nonzero(sample.person[y[inside], x[inside]]) > _MAX_POINTS * len(found))


def _check_agreement(sample: Opened, config: DoctorConfig) -> Iterator[Finding]:
    labeled, skin = sample.region("skin"), sample.skin
    if labeled is None or skin is None or not (labeled | skin).any():
        return
    apart = 1 - np.count_nonzero(labeled & skin) / np.count_nonzero(labeled | skin)
    if apart > config.label_difference:
        yield _labels(
            sample,
            severity_of(apart, config.label_difference),
            f"the skin of {PARSING_FILE} and {SKIN} have an IoU of only {1 - apart:.2f}; one of them belongs "
            "to another image or label set",
        )
