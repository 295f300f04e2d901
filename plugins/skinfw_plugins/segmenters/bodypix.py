"""BodyPix 2: a person's 24 body parts, clothed or not."""

from __future__ import annotations

import math

import numpy as np

from skinfw.components.config import Size
from skinfw.data.photo import Photo
from skinfw.data.segmentation import LabelMap, Segmentation
from skinfw.interfaces.segmenter import Segmenter
from skinfw_plugins.networks.bodypix import BodyPix, BodyPixScores, upsampled
from skinfw_plugins.segmenters.config import BodyPixConfig
from skinfw_plugins.segmenters.label_sets import BODYPIX
from skinfw_plugins.segmenters.main_person import main_person

_PIXELS = 2**20
"""Pixels of an image processed at once: all scores of a large photo would not fit in memory."""


class BodyPixSegmenter(Segmenter[BodyPixConfig]):
    """Finds the person, and the body part at each of the person's pixels.

    It finds the background, the head (its face parts include hair) and the feet. Arms and legs include
    sleeves and trousers, so it cannot distinguish skin from apparel; `skin_color` does, based on its parts.
    """

    def __init__(self, config: BodyPixConfig, io: None) -> None:
        super().__init__(config, io)
        self._network = BodyPix(config)

    def segment(self, photo: Photo) -> Segmentation:
        """Return the part at every pixel of a photo.

        Raises:
            UserError: the weights are not available, or are not BodyPix 2's.
        """
        labels = part_labels(self._network(photo.pixels), photo.size, self.config.threshold)
        if self.config.people == "main":
            labels[~main_person(labels > 0)] = 0
        return Segmentation(labels, BODYPIX.classes, BODYPIX.regions)

    def fingerprint(self) -> str:
        """Return the SHA-256 of the weights file."""
        return self._network.file.fingerprint()


def part_labels(scores: BodyPixScores, size: Size, threshold: float) -> LabelMap:
    """Return codes of `BODYPIX`, uint8 ``(H, W)``.

    The scores are upsampled before the comparison, so edges are smooth.

    Args:
        scores: the network's output.
        size: height and width of the image in pixels.
        threshold: probability above which a pixel belongs to a person, in (0, 1).
    """
    logit = math.log(threshold / (1 - threshold))
    labels = np.zeros(size, np.uint8)
    count = max(1, _PIXELS // size[1])
    for top in range(0, size[0], count):
        rows = slice(top, top + count)
        part = upsampled(scores.parts, scores.input_size, size, rows).argmax(axis=2).astype(np.uint8)
        person = upsampled(scores.segments, scores.input_size, size, rows) > logit
        labels[rows] = np.where(person, part + 1, 0)
    return labels
