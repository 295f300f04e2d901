"""Checks of files and sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from skinfw.components.field_names import APPAREL, BODY, LINE, MASK, SKIN
from skinfw.doctor.config import DoctorConfig
from skinfw.doctor.finding import WORST, Finding, severity_of
from skinfw.doctor.opened import Opened
from skinfw.errors import counted

POSE = "pose"


def check_sizes(sample: Opened, config: DoctorConfig) -> Iterator[Finding]:
    """Report images whose size differs from the input's, and images that are too small."""
    wanted = sample.sizes.get(APPAREL)
    others = {part: size for part, size in sample.sizes.items() if wanted is not None and size != wanted}
    if wanted is not None and others:
        sizes = ", ".join(f"{part} is {height}x{width}" for part, (height, width) in others.items())
        yield Finding(
            "size",
            (sample.name,),
            WORST,
            f"{sizes}, but {APPAREL} is {wanted[0]}x{wanted[1]} (height x width); make all sizes equal",
        )
    smallest = min((min(size) for size in sample.sizes.values()), default=config.min_side)
    if smallest < config.min_side:
        yield Finding(
            "size",
            (sample.name,),
            severity_of(config.min_side, max(1, smallest)),
            f"a side has only {counted(smallest, 'pixel')}, less than {config.min_side}; use a larger image",
        )


def parts_of(sample: Opened) -> frozenset[str]:
    """Return which parts a sample has, readable or not: body, segmentation_skin, mask, and a pose."""
    images = {part for part in (BODY, SKIN, MASK) if part in sample.sizes}
    pose = {POSE} if LINE in sample.sizes or sample.keypoints is not None else set()
    return frozenset(images | pose)


def check_parts(brought: Sequence[tuple[str, frozenset[str]]]) -> Iterator[Finding]:
    """Report samples without a body, and those that lack parts that others of the set have.

    Args:
        brought: name and parts of every sample that could be read.
    """
    anywhere = frozenset({BODY}).union(*(parts for _, parts in brought))
    for name, parts in brought:
        missing = sorted(anywhere - parts)
        if missing:
            what = ", ".join("line or keypoints.json" if part == POSE else part for part in missing)
            message = f"{what} is missing; prepare the sample again, or exclude it"
            yield Finding("unreadable", (name,), WORST, message)
