"""Head, feet and bodies with OpenCV's cascades: the report's first method."""

from __future__ import annotations

import hashlib
from functools import cached_property

import cv2
import numpy as np

from skinfw.data.photo import Photo
from skinfw.data.segmentation import Mask, RegionName, RgbImage, Segmentation
from skinfw.interfaces.segmenter import Segmenter
from skinfw_plugins.segmenters.config_detectors import OWN_PARTS, HaarConfig, HaarDetector
from skinfw_plugins.segmenters.detection import Area, Detector
from skinfw_plugins.segmenters.grabcut import refined

FACE_IN_DETECTION = (-0.05, 0.0, -0.12)
"""Extension of the face beyond a detected one: above, below, beside, as fractions of its sides."""


class HaarSegmenter(Segmenter[HaarConfig]):
    """Finds parts of people with cascades, and the regions head and feet if configured.

    If it finds nothing in a photo, everything is ``elsewhere`` and the regions are empty. It finds neither
    skin nor background, so ``prepare`` needs it combined with another segmenter in an ``ensemble``.
    """

    @cached_property
    def _detectors(self) -> list[Detector]:
        return [Detector(config) for config in self.config.detectors]

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The classes: elsewhere, face, then the parts in the order of their detectors."""
        return (*OWN_PARTS, *dict.fromkeys(detector.part for detector in self.config.detectors))

    @cached_property
    def regions(self) -> dict[RegionName, tuple[str, ...]]:
        """The parts that are regions."""
        members: dict[RegionName, tuple[str, ...]] = {"head": ("head", "face"), "feet": ("feet",)}
        return {region: names for region, names in members.items() if region in self.classes}

    def segment(self, photo: Photo) -> Segmentation:
        """Return a label map of the parts.

        Raises:
            UserError: a cascade's file is missing or not a cascade.
        """
        labels = np.zeros(photo.size, np.uint8)
        gray = np.asarray(cv2.cvtColor(photo.pixels, cv2.COLOR_RGB2GRAY), np.uint8)
        finds: dict[str, tuple[HaarDetector, list[Area]]] = {}
        for detector in self._detectors:
            part = detector.config.part
            if part not in finds and (areas := detector.find(gray)):
                finds[part] = detector.config, areas
        for part in reversed(self.classes):  # earlier parts go on top
            if part in finds:
                self._lay(labels, photo.pixels, part, *finds[part])
        return Segmentation(labels, self.classes, self.regions)

    def fingerprint(self) -> str:
        """Return a hash of the cascades."""
        digest = hashlib.sha256()
        for detector in self._detectors:
            digest.update(detector.path.read_bytes())
        return digest.hexdigest()

    def _lay(
        self, labels: RgbImage, image: RgbImage, part: str, config: HaarDetector, areas: list[Area]
    ) -> None:
        for area in areas:
            mask = self._outline(image, config, area)
            labels[mask] = self.classes.index(part)
            if part == "head":
                face = area.grown(*FACE_IN_DETECTION).ellipse((labels.shape[0], labels.shape[1]))
                labels[mask & face] = self.classes.index("face")

    def _outline(self, image: RgbImage, config: HaarDetector, area: Area) -> Mask:
        size = (image.shape[0], image.shape[1])
        part = area.grown(config.above, config.below, config.beside)
        if config.part not in self.regions:
            mask = np.zeros(size, bool)
            mask[part.slices(size)] = True
            return mask
        if self.config.refine == "none":
            return part.ellipse(size)
        return refined(image, area, part, config.core, self.config.iterations)
