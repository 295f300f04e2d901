"""The check that the person is of one piece."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from skinfw.data.sample_folder import PARSING_FILE
from skinfw.doctor.config import DoctorConfig
from skinfw.doctor.finding import Finding, severity_of
from skinfw.doctor.opened import Opened

_COUNTED = 0.01
"""Fraction of the person from which on a message counts a piece."""


def check_fragments(sample: Opened, config: DoctorConfig) -> Iterator[Finding]:
    """Tell a person that falls into several large pieces, as when the trunk was taken for background.

    The person is all that is not background, bags and a second person included. Only a label map tells:
    without one white clothes look like background.
    """
    background = sample.region("background")
    if background is None or background.all():
        return
    person = (~background).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(person, connectivity=8)
    fractions = stats[1:, cv2.CC_STAT_AREA] / np.count_nonzero(person)
    loose = 1 - float(fractions.max())
    if loose > config.loose_fraction:
        yield Finding(
            "fragments",
            (sample.name,),
            severity_of(loose, config.loose_fraction),
            f"the person of {PARSING_FILE} falls into {np.count_nonzero(fractions >= _COUNTED)} pieces, and "
            f"{loose:.0%} of it is outside the largest; the segmenter may have lost what joins them, or have "
            "labeled another person, or a thing beside, as the person: segment the photo again, or "
            "exclude the sample",
        )
