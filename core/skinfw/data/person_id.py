"""Which samples show the same person, according to their names."""

from __future__ import annotations

import re

_ID = re.compile(r"(?:^|[-/])(id_\d{8})(?=[-/]|$)")


def person_id(name: str) -> str:
    """Return the DeepFashion id in a sample's name, or the name itself if it has none.

    The photos below one folder, such as ``id_00000002``, show one piece of clothing, mostly worn by one
    person. The data set does not identify people, so this id is the best available: a person may have several
    ids. DeepFashion-MultiModal has dashes instead of folders.

    Example:
        >>> person_id("WOMEN/Dresses/id_00000002/02_1_front")
        'id_00000002'
        >>> person_id("WOMEN-Dresses-id_00000002-02_1_front")
        'id_00000002'
        >>> person_id("anna/front")
        'anna/front'
    """
    found = _ID.search(name)
    return found.group(1) if found else name
