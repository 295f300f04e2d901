"""Checks of the skin mask and of the label map."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from skinfw.data.sample import SKIN
from skinfw.data.sample_folder import PARSING_FILE, RECORD_FILE
from skinfw.doctor.config import DoctorConfig
from skinfw.doctor.finding import WORST, Finding, severity_of
from skinfw.doctor.opened import Opened


def check_mask(sample: Opened, config: DoctorConfig) -> Iterator[Finding]:
    """Tell a mask that is not binary, that is empty, or that lies beside the person."""
    if sample.skin is None:
        return
    grey = sample.mask_grey
    if grey > config.mask_grey:
        yield _of(
            sample,
            grey,
            config.mask_grey,
            f"{grey:.1%} of the pixels of {SKIN} are neither black nor white; write the mask white on black",
        )
    if not sample.skin.any():
        told = f"{SKIN} is all black: there is nothing to paint; strike the sample out, or segment it again"
        yield Finding("mask", (sample.name,), WORST, told)
    elif sample.person is not None:
        outside = float((~sample.person)[sample.skin].mean())
        if outside > config.mask_outside:
            yield _of(
                sample,
                outside,
                config.mask_outside,
                f"{outside:.0%} of {SKIN} lies outside the person; it may be inverted, or of another picture",
            )


def _of(sample: Opened, measured: float, allowed: float, message: str) -> Finding:
    return Finding("mask", (sample.name,), severity_of(measured, allowed), message)


def check_labels(sample: Opened, config: DoctorConfig) -> Iterator[Finding]:
    """Tell a label map whose codes or palette do not fit its classes, or whose skin is not the mask's."""
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
            f"(0 to {len(classes) - 1}); the map is of another label set",
        )
        return
    yield from _check_order(sample)
    yield from _check_agreement(sample, config)


def _labels(sample: Opened, severity: float, message: str) -> Finding:
    return Finding("labels", (sample.name,), severity, message)


def _check_order(sample: Opened) -> Iterator[Finding]:
    """The head of a standing person is above the feet: otherwise the names of the classes are mixed up."""
    head, feet = sample.region("head"), sample.region("feet")
    if head is None or feet is None or not head.any() or not feet.any():
        return
    if np.nonzero(head)[0].mean() > np.nonzero(feet)[0].mean():
        told = "the head lies below the feet: the palette of the label map does not fit; name another one"
        yield _labels(sample, WORST / 2, told)


def _check_agreement(sample: Opened, config: DoctorConfig) -> Iterator[Finding]:
    labelled, skin = sample.region("skin"), sample.skin
    if labelled is None or skin is None or not (labelled | skin).any():
        return
    apart = 1 - np.count_nonzero(labelled & skin) / np.count_nonzero(labelled | skin)
    if apart > config.label_difference:
        yield _labels(
            sample,
            severity_of(apart, config.label_difference),
            f"the skin of {PARSING_FILE} and {SKIN} have an IoU of only {1 - apart:.2f}; one of them is of "
            "another picture or label set",
        )
