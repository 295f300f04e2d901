"""Detecting parts of people with OpenCV's cascades (Viola and Jones 2001; Lienhart and Maydt 2002)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray

from skinfw.components.config import Size
from skinfw.data.segmentation import Mask
from skinfw.errors import UserError
from skinfw_plugins.segmenters.config_detectors import CASCADES, HaarDetector


@dataclass(frozen=True)
class Area:
    """A rectangle in pixels, from edge to edge; it may extend beyond the image."""

    top: float
    bottom: float
    left: float
    right: float

    def grown(self, above: float, below: float, beside: float) -> Area:
        """Return it enlarged by fractions of its height above and below and of its width on either side."""
        height, width = self.bottom - self.top, self.right - self.left
        return Area(
            self.top - above * height,
            self.bottom + below * height,
            self.left - beside * width,
            self.right + beside * width,
        )

    def slices(self, size: Size) -> tuple[slice, slice]:
        """Return its rows and columns within an image of ``size`` (height, width)."""
        top, bottom = (min(max(round(edge), 0), size[0]) for edge in (self.top, self.bottom))
        left, right = (min(max(round(edge), 0), size[1]) for edge in (self.left, self.right))
        return slice(top, bottom), slice(left, right)

    def ellipse(self, size: Size) -> Mask:
        """Return the pixels whose centers lie in the inscribed ellipse, bool ``(H, W)``."""
        inside = np.zeros(size, bool)
        # arrays for a whole large photo would not fit in memory; edges of the window are rounded
        beyond = Area(self.top - 1, self.bottom + 1, self.left - 1, self.right + 1)
        rows, columns = window = beyond.slices(size)
        y = np.arange(size[0])[rows, None] + 0.5 - (self.top + self.bottom) / 2
        x = np.arange(size[1])[None, columns] + 0.5 - (self.left + self.right) / 2
        half_height, half_width = (self.bottom - self.top) / 2, (self.right - self.left) / 2
        inside[window] = (y / half_height) ** 2 + (x / half_width) ** 2 <= 1
        return inside

    def holds(self, other: Area) -> bool:
        """Return whether the center of another rectangle lies in it."""
        y, x = (other.top + other.bottom) / 2, (other.left + other.right) / 2
        return self.top <= y < self.bottom and self.left <= x < self.right


class Detector:
    """A loaded cascade.

    Args:
        config: the cascade and its parameters.

    Raises:
        UserError: its file is missing or not a cascade.
    """

    def __init__(self, config: HaarDetector) -> None:
        self.config = config
        self.path = config.file or Path(cv2.data.haarcascades, f"haarcascade_{config.cascade}.xml")
        if not self.path.is_file():
            what = f"{config.part} needs the XML file of a cascade in file, or a cascade that OpenCV ships"
            if config.file is None:
                what = f"OpenCV's installation lacks {self.path.name}; put it there, or name it in file"
            raise UserError(f"{self.path}: no such cascade; {what}: {CASCADES}")
        try:
            self._cascade = cv2.CascadeClassifier(str(self.path))
            empty = self._cascade.empty()
        except (
            cv2.error,
            SystemError,
        ):  # OpenCV raises for some files and silently loads nothing from others
            empty = True
        if empty:
            raise UserError(f"{self.path}: not a cascade that OpenCV can load; give the path of an XML file")

    def find(self, gray: NDArray[np.uint8]) -> list[Area]:
        """Return its detections in a gray image ``(H, W)``, most confident first, at most its count.

        Confidence is the score of the cascade's last stage. On street photos, it identifies faces better than
        size does.
        """
        found = self._rated(gray)
        if self.config.mirrored:
            width = gray.shape[1]
            for rating, area in self._rated(np.ascontiguousarray(gray[:, ::-1])):
                turned = Area(area.top, area.bottom, width - area.right, width - area.left)
                found.append((rating, turned))
        found.sort(key=lambda each: (-each[0], each[1].top, each[1].left, each[1].right))
        chosen: list[Area] = []
        for _, area in found:
            if len(chosen) < self.config.count and not any(other.holds(area) for other in chosen):
                chosen.append(area)
        return chosen

    def _rated(self, gray: NDArray[np.uint8]) -> list[tuple[float, Area]]:
        least = self.config.min_size
        side = max(1, round(least * min(gray.shape) if least < 1 else least))
        boxes, _, ratings = self._cascade.detectMultiScale3(
            gray,
            scaleFactor=self.config.scale_factor,
            minNeighbors=self.config.neighbors,
            minSize=(side, side),
            outputRejectLevels=True,
        )
        return [
            (float(rating), Area(float(y), float(y + height), float(x), float(x + width)))
            for (x, y, width, height), rating in zip(boxes, np.ravel(ratings), strict=True)
        ]
