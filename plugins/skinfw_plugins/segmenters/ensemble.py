"""Regions from several segmenters, by priority or by vote."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skinfw.assembly.build import build
from skinfw.data.face import face_classes
from skinfw.data.photo import Photo
from skinfw.data.segmentation import REGIONS, Mask, RegionName, Segmentation
from skinfw.errors import DataError, UserError
from skinfw.interfaces.segmenter import Segmenter
from skinfw_plugins.segmenters.config_detectors import EnsembleConfig, EnsembleMember
from skinfw_plugins.segmenters.joined import JoinedSegmenter

CLASSES = ("elsewhere", *REGIONS, "face")
"""Elsewhere is without region. The face belongs to the head."""


@dataclass(frozen=True)
class _Answer:
    """A member's result for a photo: a mask for each of its regions, and the face."""

    regions: dict[RegionName, Mask]
    face: Mask | None
    weight: float


class EnsembleSegmenter(JoinedSegmenter[EnsembleConfig]):
    """Combines several segmenters and assigns every pixel one region.

    Its classes are the regions, and the face if a member has it. A region that no member finds is absent.
    """

    @cached_property
    def _members(self) -> list[tuple[EnsembleMember, Segmenter[Any]]]:
        return [(member, build(member.segmenter, Segmenter)) for member in self.config.members]

    def segment(self, photo: Photo) -> Segmentation:
        """Return the combined regions of the members.

        Raises:
            DataError: a required member rejects the photo, or no other member finds the regions of an
                optional one.
            UserError: a member lists a region that it cannot find.
        """
        answers, refusals = self._ask(photo)
        found = [name for name in REGIONS if any(name in answer.regions for answer in answers)]
        for member, error in refusals:
            if not found or set(member.regions or ()) - set(found):
                raise error
        choose = by_priority if self.config.rule == "priority" else by_vote
        labels = choose([(answer.regions, answer.weight) for answer in answers], photo.size)
        faces = [answer.face for answer in answers if answer.face is not None]
        members: dict[RegionName, tuple[str, ...]] = {name: (name,) for name in found}
        if faces and "head" in members:
            head = labels == CLASSES.index("head")
            labels[head & np.logical_or.reduce(faces)] = CLASSES.index("face")
            members["head"] = ("head", "face")
        classes = CLASSES if faces else CLASSES[:-1]
        return Segmentation(labels, classes, members)

    def _segmenters(self) -> list[Segmenter[Any]]:
        return [segmenter for _, segmenter in self._members]

    def _ask(self, photo: Photo) -> tuple[list[_Answer], list[tuple[EnsembleMember, DataError]]]:
        answers, refusals = [], []
        for member, segmenter in self._members:
            try:
                found = segmenter.segment(photo)
            except DataError as error:
                if not member.optional:
                    raise
                refusals.append((member, error))
            else:
                answers.append(_answer(member, found))
        return answers, refusals


def _answer(member: EnsembleMember, found: Segmentation) -> _Answer:
    wanted = tuple(found.regions) if member.regions is None else member.regions
    missing = [name for name in wanted if name not in found.regions]
    if missing:
        raise UserError(
            f"ensemble: {member.segmenter.name} should find {', '.join(missing)}, but finds "
            f"only {', '.join(found.regions)}; use another segmenter"
        )
    faces = face_classes(found.classes) if "head" in wanted else ()
    masks = {name: found.region(name) for name in wanted}
    return _Answer(masks, found.of_classes(*faces) if faces else None, member.weight)


_ROWS = 256
"""Rows of an image processed at once in a vote."""

Claims = list[tuple[dict[RegionName, Mask], float]]
"""The masks of each member's regions, bool ``(H, W)``, and its weight."""


def by_priority(claims: Claims, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return at each pixel the region of the first member that assigns one, as an index into `CLASSES`."""
    labels = np.zeros(size, np.uint8)
    for masks, _ in reversed(claims):
        for name, mask in masks.items():
            labels[mask] = CLASSES.index(name)
    return labels


def by_vote(claims: Claims, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return at each pixel the region with the largest fraction of votes, as an index into `CLASSES`.

    A region's fraction is the weight of the members that assign it to the pixel, divided by the weight of all
    members that can find it. At least half is needed; in a tie, the earlier member wins.
    """
    labels = np.zeros(size, np.uint8)
    for top in range(0, size[0], _ROWS):  # the fractions of a large photo would not fit in memory
        rows = slice(top, top + _ROWS)
        band: Claims = [
            ({name: mask[rows] for name, mask in masks.items()}, weight) for masks, weight in claims
        ]
        labels[rows] = _voted(band, labels[rows].shape)
    return labels


def _voted(claims: Claims, size: tuple[int, ...]) -> NDArray[np.uint8]:
    labels, best = np.zeros(size, np.uint8), np.zeros(size)
    names = dict.fromkeys(name for masks, _ in claims for name in masks)
    fractions = {
        name: sum(weight * masks[name] for masks, weight in claims if name in masks)
        / sum(weight for masks, weight in claims if name in masks)
        for name in names
    }
    for masks, _ in claims:  # a pixel's earliest voter sets its region first
        for name, mask in masks.items():
            fraction = np.asarray(fractions[name])
            better = mask & (fraction >= 0.5) & (fraction > best)
            labels[better] = CLASSES.index(name)
            best[better] = fraction[better]
    return labels
