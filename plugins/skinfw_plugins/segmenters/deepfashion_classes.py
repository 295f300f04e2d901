"""DeepFashion's sixteen classes, their two published palettes, and their regions."""

from __future__ import annotations

from collections.abc import Mapping

from skinfw.data.segmentation import RegionName
from skinfw_plugins.segmenters.label_colors import RGB

CLASSES = (
    "background", "top", "skirt", "leggings", "skin", "face", "dress", "bag", "neckwear", "outer", "hair",
    "headwear", "eyeglass", "belt", "pants", "footwear",
)  # fmt: skip
"""The classes; a label is an index into this tuple for either palette."""

_COLORS: tuple[RGB, ...] = (
    (0, 0, 0), (255, 250, 250), (250, 235, 215), (70, 130, 180), (144, 238, 144), (16, 78, 139),
    (255, 250, 205), (255, 140, 0), (50, 205, 50), (220, 220, 220), (255, 0, 0), (127, 255, 212),
    (0, 100, 0), (255, 255, 0), (211, 211, 211), (245, 222, 179),
)  # fmt: skip

_MMFASHION = (
    "background", "top", "skirt", "leggings", "skin", "dress", "outer", "pants", "bag", "neckwear",
    "headwear", "eyeglass", "belt", "footwear", "hair", "face",
)  # fmt: skip

PALETTES: dict[str, dict[RGB, str]] = {
    "files": dict(zip(_COLORS, CLASSES, strict=True)),
    "mmfashion": dict(zip(_COLORS, _MMFASHION, strict=True)),
}
"""Class of each color: as in the published files, and as documented by the mmfashion toolbox."""

_HEAD = ("hair", "face", "headwear", "eyeglass")
_OTHERS = ("background", "skin", "footwear", *_HEAD)

REGIONS: Mapping[RegionName, tuple[str, ...]] = {
    "background": ("background",),
    "skin": ("skin",),
    "head": _HEAD,
    "feet": ("footwear",),
    "apparel": tuple(name for name in CLASSES if name not in _OTHERS),
}
"""Neckwear is apparel: it is worn on the body, and a try-on keeps the head."""
