"""Drawn people: a data set that needs no download."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from skinfw.data.dataset_io import to_sample
from skinfw.data.keypoints import Keypoints
from skinfw.data.parts import make_agnostic
from skinfw.data.sample import Sample
from skinfw.data.segmentation import Segmentation
from skinfw.errors import DataError
from skinfw.interfaces.dataset import Dataset
from skinfw_plugins.datasets.config import MannequinsConfig
from skinfw_plugins.datasets.mannequin import CLASSES, draw_person
from skinfw_plugins.segmenters.deepfashion_classes import REGIONS

MARGIN = 1
"""Pixels by which the removed skin is dilated: drawn labels are exact, only smoothed edges mix two colors."""

_REGIONS = {region: tuple(name for name in names if name in CLASSES) for region, names in REGIONS.items()}

_REVISION = 2
"""Increased when the same seed draws different images."""

_SEEDS_APART = 1_000_003
"""Separates the people of one data set seed from those of the next; more than the largest count."""


class MannequinsDataset(Dataset[MannequinsConfig]):
    """People in simple clothes, drawn from a seed and prepared like photos."""

    def names(self) -> Sequence[str]:
        """Return ``mannequin-000000`` and so on."""
        return [f"mannequin-{index:06d}" for index in range(self.config.count)]

    def load(self, name: str) -> Sample:
        """Draw one person.

        Raises:
            DataError: the data set has no sample of that name.
        """
        prefix, _, digits = name.partition("-")
        if prefix != "mannequin" or not digits.isdecimal() or int(digits) >= self.config.count:
            raise DataError(f"no mannequin is named {name!r}; there are {self.config.count}")
        drawing = draw_person(self.config.seed * _SEEDS_APART + int(digits), self.io.size)
        segmentation = Segmentation(drawing.labels, CLASSES, _REGIONS)
        keypoints = Keypoints(drawing.points)
        parts = make_agnostic(drawing.image, segmentation, MARGIN)
        return to_sample(name, replace(parts, pose=keypoints, where=name), self.io)

    def fingerprint(self) -> str:
        """Return a hash of the seed, the number of people and the drawing's revision."""
        facts = f"mannequins {_REVISION} {self.config.seed} {self.config.count}"
        return hashlib.sha256(facts.encode()).hexdigest()
