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
"""Elsewhere is what nobody gives a region. The face belongs to the head."""


@dataclass(frozen=True)
class _Answer:
    """What a member says about a photo: a mask for each region that it is asked for, and the face."""

    regions: dict[RegionName, Mask]
    face: Mask | None
    weight: float


class EnsembleSegmenter(JoinedSegmenter[EnsembleConfig]):
    """Asks several segmenters, and gives every pixel one region.

    Its classes are the regions, and the face where a member knows it. A region that no member tells is
    absent.
    """

    @cached_property
    def _members(self) -> list[tuple[EnsembleMember, Segmenter[Any]]]:
        return [(member, build(member.segmenter, Segmenter)) for member in self.config.members]

    def segment(self, photo: Photo) -> Segmentation:
        """Return the regions that the members give together.

        Raises:
            DataError: a member that is not optional rejects the photo, or nobody else tells what an optional
                one was asked for.
            UserError: a member is asked for a region that it cannot tell.
        """
        answers, refusals = self._ask(photo)
        told = [name for name in REGIONS if any(name in answer.regions for answer in answers)]
        for member, error in refusals:
            if not told or set(member.regions or ()) - set(told):
                raise error
        choose = by_priority if self.config.rule == "priority" else by_vote
        labels = choose([(answer.regions, answer.weight) for answer in answers], photo.size)
        faces = [answer.face for answer in answers if answer.face is not None]
        members: dict[RegionName, tuple[str, ...]] = {name: (name,) for name in told}
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
            f"ensemble: {member.segmenter.name} is asked for {', '.join(missing)}, but finds only "
            f"{', '.join(found.regions)}; ask another segmenter"
        )
    faces = face_classes(found.classes) if "head" in wanted else ()
    masks = {name: found.region(name) for name in wanted}
    return _Answer(masks, found.of_classes(*faces) if faces else None, member.weight)


_ROWS = 256
"""Rows of an image that are voted on at once."""

Claims = list[tuple[dict[RegionName, Mask], float]]
"""Of each member, the masks of its regions, bool ``(H, W)``, and its weight."""


def by_priority(claims: Claims, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return at each pixel the region of the first member that gives it one, as an index into `CLASSES`."""
    labels = np.zeros(size, np.uint8)
    for masks, _ in reversed(claims):
        for name, mask in masks.items():
            labels[mask] = CLASSES.index(name)
    return labels


def by_vote(claims: Claims, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return at each pixel the region with the largest fraction of votes, as an index into `CLASSES`.

    A region's share is the weight of the members that give it to the pixel, over the weight of all that can
    tell it. It takes half; of equal shares that of the earlier member wins.
    """
    labels = np.zeros(size, np.uint8)
    for top in range(0, size[0], _ROWS):  # the fractions of a large photo would fill the memory
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
    for masks, _ in claims:  # a pixel's earliest voter names its region first
        for name, mask in masks.items():
            fraction = np.asarray(fractions[name])
            better = mask & (fraction >= 0.5) & (fraction > best)
            labels[better] = CLASSES.index(name)
            best[better] = fraction[better]
    return labels
