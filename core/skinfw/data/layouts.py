"""Which result of a try-on system belongs to which photo, by their names. Light: no packages."""

from __future__ import annotations

from typing import Literal, get_args

Layout = Literal["names", "catvton", "idm_vton", "hr_viton", "ootdiffusion"]
"""Results have the photo's name (names; CatVTON and IDM-VTON write them so), the names of photo and garment
(hr_viton), or are numbered in a folder of each photo (ootdiffusion)."""

LAYOUTS: tuple[Layout, ...] = get_args(Layout)
"""All of them."""
