"""Which samples show one person, as far as their names tell."""

from __future__ import annotations

import re

_ID = re.compile(r"id_\d{8}")


def person_id(name: str) -> str:
    """Return the DeepFashion id among the folders of a sample's name, or the name where there is none.

    The photos below one folder ``id_XXXXXXXX`` belong together: as a rule one person, from several sides.

    Example:
        >>> person_id("WOMEN/Dresses/id_00000002/02_1_front")
        'id_00000002'
        >>> person_id("anna/front")
        'anna/front'
    """
    return next((part for part in name.split("/") if _ID.fullmatch(part)), name)
