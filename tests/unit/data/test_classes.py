from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skinfw.data.classes import UNKNOWN, ClassTable, class_table
from skinfw.data.segmentation import Segmentation
from skinfw.errors import RunError
from skinfw.specs.segmentation_spec import SegmentationData

CLASSES = ("wall", "arm", "leg", "hair", "shoe", "noise")
REGIONS = {"background": ("wall",), "skin": ("arm", "leg"), "head": ("hair",), "feet": ("shoe",)}


def found(labels: Any = ((0, 1, 2), (3, 4, 5))) -> Segmentation:
    return Segmentation(np.array(labels, np.uint8), CLASSES, REGIONS)  # type: ignore[arg-type]


def table(classes: Any) -> ClassTable:
    data = SegmentationData.model_validate({"root": Path("x"), "size": (8, 8), "classes": classes})
    return class_table(data, found())


def test_regions_take_their_classes_together_and_what_is_in_none_is_unknown() -> None:
    regions = table("regions")
    assert regions.names == ("background", "skin", "head", "feet", "apparel")
    assert regions.labels(found()).tolist() == [[0, 1, 1], [2, 3, UNKNOWN]]
    assert regions.regions["skin"] == ("skin",)


def test_all_classes_stay_what_they_are() -> None:
    everything = table("all")
    assert everything.names == CLASSES
    assert everything.labels(found()).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert everything.regions == REGIONS


def test_a_table_takes_label_classes_together_and_the_rest_is_background() -> None:
    named = table(
        {
            "limb": {"of": ["arm", "leg"], "region": "skin"},
            "rest": {"of": ["noise"], "region": "background"},
        }
    )
    assert named.names == ("limb", "rest")
    assert named.labels(found()).tolist() == [[1, 0, 0], [1, 1, 1]]
    assert named.regions == {"skin": ("limb",), "background": ("rest",)}


def test_a_table_of_classes_that_the_labels_do_not_have_is_refused() -> None:
    with pytest.raises(RunError, match=r"has no class 'nose' \(known: wall, arm"):
        table({"x": {"of": ["nose"], "region": "head"}, "rest": {"of": ["wall"], "region": "background"}})


def test_label_segmenters_without_background_are_refused() -> None:
    data = SegmentationData(root=Path("x"), size=(8, 8))
    bare = Segmentation(np.zeros((1, 1), np.uint8), ("hair",), {"head": ("hair",)})
    with pytest.raises(RunError, match="'deepfashion' has no background"):
        class_table(data, bare)


@pytest.mark.parametrize("classes", ["regions", "all"])
def test_a_table_comes_back_from_json(classes: str) -> None:
    import json

    one = table(classes)
    assert ClassTable.from_json(json.loads(json.dumps(one.to_json()))) == one
