"""The check that the person is in one piece."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from skinfw.data.sample_folder import PARSING_FILE
from skinfw.doctor.config import DoctorConfig
from skinfw.doctor.finding import Finding, severity_of
from skinfw.doctor.opened import Opened

_COUNTED = 0.01
"""Minimum fraction of the person for a fragment to be counted in a message."""


def check_fragments(sample: Opened, config: DoctorConfig) -> Iterator[Finding]:
    """Report a person in several large fragments, for example if the trunk was labeled as background.

    The person is everything but background, including bags and a second person. The check needs a label map:
    without one, white clothes look like background.
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
            f"the person of {PARSING_FILE} consists of {np.count_nonzero(fractions >= _COUNTED)} fragments, "
            f"and {loose:.0%} of it is outside the largest; the segmenter may have missed what connects "
            "them, or labeled another person or an object as the person: segment the photo again, or exclude "
            "the sample",
        )
