"""People by the DeepFashion ids in the names of their photos, however copies flatten them."""

from __future__ import annotations

import pytest

from skinfw.data.person_id import person_id

SAME = (
    "WOMEN/Tees_Tanks/id_00002629/02_1_front",
    "img/WOMEN-Tees_Tanks-id_00002629-02_4_full",
    "WOMEN_Tees_Tanks_id_00002629_02_1_side",
    "fashionWOMENTees_Tanksid0000262902_2side",
    "train/fashionWOMENTees_Tanksid0000262902_7additional",
    "id_00002629",
)


@pytest.mark.parametrize("name", SAME)
def test_an_id_is_found_in_every_spelling(name: str) -> None:
    assert person_id(name) == "id_00002629"


@pytest.mark.parametrize(
    "name",
    [
        "anna/front", "id_0/01_1_front", "id_000026290/01_1_front", "grid_00002629/1", "video00002629",
        "photoid0000262902", "kid0000262902_1", "20240131_00002629", "id_00002629b", "id-00002629",
    ],
)  # fmt: skip
def test_other_names_are_their_own(name: str) -> None:
    assert person_id(name) == name
