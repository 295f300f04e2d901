"""The names of the input pictures that a sample can offer. Light: no numpy."""

from __future__ import annotations

from typing import Literal, get_args

InputName = Literal["apparel_head_foot", "line", "segmentation_skin", "face"]
"""The report's three, and the mask of the visible face."""

INPUTS: tuple[InputName, ...] = get_args(InputName)
"""All of them."""

APPAREL, LINE, SKIN, FACE = INPUTS
