"""The names of the five regions of a photo. Light: no numpy."""

from __future__ import annotations

from typing import Literal, get_args

RegionName = Literal["background", "skin", "head", "feet", "apparel"]
REGIONS: tuple[RegionName, ...] = get_args(RegionName)
