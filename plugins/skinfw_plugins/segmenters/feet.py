"""Feet, in shoes or bare: the report's process (section 5.1.1)."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

import numpy as np

from skinfw.assembly.build import build
from skinfw.data.photo import Photo
from skinfw.data.segmentation import Mask, Segmentation
from skinfw.errors import UserError
from skinfw.interfaces.segmenter import Segmenter
from skinfw_plugins.segmenters.config_detectors import FeetConfig
from skinfw_plugins.segmenters.joined import JoinedSegmenter

CLASSES = ("elsewhere", "footwear", "bare_feet")
_BARE = re.compile(r"(^|_)(foot|feet)($|_)", re.IGNORECASE)


class FeetSegmenter(JoinedSegmenter[FeetConfig]):
    """Uses a network's footwear if the person wears shoes, else looks for bare feet.

    It finds only the region feet.
    """

    @cached_property
    def _network(self) -> Segmenter[Any]:
        return build(self.config.network, Segmenter)

    @cached_property
    def _bare(self) -> Segmenter[Any] | None:
        return None if self.config.bare is None else build(self.config.bare, Segmenter)

    def segment(self, photo: Photo) -> Segmentation:
        """Return the shoes, or the bare feet.

        Raises:
            DataError: the network, or the segmenter of bare feet, rejects the photo.
            UserError: the network has no footwear classes, or nothing can find bare feet.
        """
        found = self._network.segment(photo)
        shoes = found.of_classes(*self._footwear(found))
        labels = np.zeros(photo.size, np.uint8)
        if shoes.mean() >= self.config.min_shoes and shoes.any():
            labels[shoes] = CLASSES.index("footwear")
        else:
            labels[self._bare_feet(photo, found)] = CLASSES.index("bare_feet")
        return Segmentation(labels, CLASSES, {"feet": CLASSES[1:]})

    def _segmenters(self) -> list[Segmenter[Any]]:
        return [self._network] if self._bare is None else [self._network, self._bare]

    def _footwear(self, found: Segmentation) -> tuple[str, ...]:
        """Return the network's classes of footwear."""
        name, given = self.config.network.name, self.config.footwear
        if given is None:
            names = tuple(each for each in found.regions.get("feet", ()) if not _BARE.search(each))
            if not names:
                raise UserError(
                    f"feet: the network {name} has no class of footwear (its region feet: "
                    f"{', '.join(found.regions.get('feet', ())) or 'none'}); use one that has, or list them "
                    "with footwear"
                )
            return names
        unknown = [each for each in given if each not in found.classes]
        if unknown:
            raise UserError(
                f"feet: the network {name} has no class {', '.join(unknown)}; it has "
                f"{', '.join(found.classes)}"
            )
        return given

    def _bare_feet(self, photo: Photo, found: Segmentation) -> Mask:
        if self._bare is not None:
            bare = self._bare.segment(photo)
            if "feet" not in bare.regions:
                name = self.config.bare.name if self.config.bare is not None else ""
                raise UserError(f"feet: {name} does not find feet; for haar, set the file of a cascade")
            return bare.region("feet")
        named = [name for name in found.regions.get("feet", ()) if _BARE.search(name)]
        if not named and not ("skin" in found.regions and "background" in found.regions):
            raise UserError(
                f"feet: the network {self.config.network.name} finds neither bare feet nor skin and "
                "background; set bare to a segmenter that finds bare feet"
            )
        return found.of_classes(*named) | skin_on_the_ground(found, self.config.ankle_height)


def skin_on_the_ground(found: Segmentation, ankle_height: float) -> Mask:
    """Return the skin at the person's lower end, bool ``(H, W)``.

    This is a guess for upright people without shoes. If the person reaches the photo's lower edge, the feet
    are cut off and there are none.

    Args:
        found: the result of a segmenter that finds skin and background.
        ankle_height: fraction of the person's height, from the ground, in which skin counts.
    """
    skin = found.region("skin")
    rows = np.flatnonzero(found.person.any(axis=1))
    if "background" not in found.regions or not len(rows) or rows[-1] == len(skin) - 1:
        return np.zeros_like(skin)
    height = rows[-1] + 1 - rows[0]
    skin[: rows[-1] + 1 - max(1, round(ankle_height * height))] = False
    return skin
