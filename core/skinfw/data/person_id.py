"""Which samples show the same person, according to their names."""

from __future__ import annotations

import re

_ID = re.compile(
    r"(?<![A-Za-z0-9])id_(\d{8})(?![A-Za-z0-9])|id(\d{8})(?=\d\d_\d(?:front|side|back|full|additional|flat))"
)


def person_id(name: str) -> str:
    """Return the DeepFashion id in a sample's name, or the name itself if it has none.

    The photos below one folder, such as ``id_00000002``, show one piece of clothing, mostly worn by one
    person. The data set does not identify people, so this id is the best available: a person may have several
    ids. In flat folders, the path is part of the file's name: with dashes in DeepFashion-MultiModal, without
    separators in the sets for pose transfer.

    Example:
        >>> person_id("WOMEN/Dresses/id_00000002/02_1_front")
        'id_00000002'
        >>> person_id("WOMEN-Dresses-id_00000002-02_1_front")
        'id_00000002'
        >>> person_id("fashionWOMENDressesid0000000202_1front")
        'id_00000002'
        >>> person_id("anna/front")
        'anna/front'
    """
    found = _ID.search(name)
    return f"id_{found.group(1) or found.group(2)}" if found else name
