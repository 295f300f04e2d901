from __future__ import annotations

import numpy as np
import pytest

from skinfw.data.segmentation import Segmentation
from skinfw_plugins.segmenters.config import LabelMapConfig
from skinfw_plugins.segmenters.label_colors import voc_color
from skinfw_plugins.segmenters.label_sets import LABEL_SETS, label_set

# name: how many codes, and some codes with the region that they must fall into, read off the sets' own papers
PUBLISHED = {
    "atr": (18, {0: "background", 2: "head", 4: "apparel", 9: "feet", 11: "head", 12: "skin", 15: "skin"}),
    "lip": (20, {1: "head", 3: "apparel", 8: "apparel", 10: "apparel", 13: "head", 14: "skin", 19: "feet"}),
    "cihp": (20, {10: "skin", 12: "apparel", 13: "head", 16: "skin", 18: "feet"}),
    "pascal_person_part": (7, {0: "background", 1: "head"}),
    "deepfashion": (16, {4: "skin", 5: "head", 8: "apparel", 10: "head", 15: "feet"}),
    "deepfashion_multimodal": (24, {11: "feet", 13: "head", 14: "head", 15: "skin", 21: "apparel"}),
    "ccp": (59, {0: "background", 19: "head", 41: "skin", 39: "feet", 14: "apparel", 53: "apparel"}),
    "bodypix": (25, {0: "background", 1: "head", 2: "head", 23: "feet", 24: "feet"}),
    "sapiens": (28, {1: "apparel", 2: "head", 3: "head", 8: "feet", 9: "apparel", 21: "skin", 27: "head"}),
    "mediapipe": (6, {1: "head", 2: "skin", 3: "head", 4: "apparel"}),
    "fashn": (18, {1: "head", 3: "apparel", 9: "head", 10: "apparel", 11: "head", 12: "skin", 13: "skin",
                   14: "skin", 15: "feet", 16: "skin", 17: "apparel"}),
}  # fmt: skip
UNTOLD = {"pascal_person_part": [2, 3, 4, 5, 6], "bodypix": list(range(3, 23))}


@pytest.mark.parametrize("name", list(LABEL_SETS))
def test_codes_fall_into_their_regions(name: str) -> None:
    labels = LABEL_SETS[name]
    count, expected = PUBLISHED[name]
    assert len(labels.classes) == len(set(labels.classes)) == count
    found = Segmentation(np.arange(count, dtype=np.uint8)[None], labels.classes, labels.regions)
    for code, region in expected.items():
        assert found.region(region)[0, code], (code, region)
    named = {name for members in labels.regions.values() for name in members}
    untold = [code for code, each in enumerate(labels.classes) if each not in named]
    assert untold == UNTOLD.get(name, [])


def test_every_set_can_be_named() -> None:
    for name in LABEL_SETS:
        assert label_set(LabelMapConfig(labels=name).labels) is LABEL_SETS[name]


def test_a_set_of_ones_own() -> None:
    config = LabelMapConfig(
        labels={"classes": ["nothing", "arm"], "regions": {"background": ["nothing"], "skin": ["arm"]}}
    )
    labels = label_set(config.labels)
    assert labels.classes == ("nothing", "arm") and labels.regions["skin"] == ("arm",)


@pytest.mark.parametrize(
    ("labels", "error"),
    [
        ({"classes": ["a", "a"], "regions": {"skin": ["a"]}}, "more than once"),
        ({"classes": ["a", "b"], "regions": {"skin": ["c"]}}, "'c', which is not in classes"),
        ({"classes": ["a", "b"], "regions": {"skin": ["a"], "feet": ["a"]}}, "more than once"),
        ("nobody", "atr"),
    ],
)
def test_errors_of_a_set(labels: object, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        LabelMapConfig(labels=labels)


def test_colors_of_pascal_voc() -> None:
    # the first ones as the development kit prints them
    told = [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128), (128, 0, 128), (0, 128, 128),
            (128, 128, 128), (64, 0, 0), (192, 0, 0)]  # fmt: skip
    assert [voc_color(code) for code in range(10)] == told
    assert len({voc_color(code) for code in range(256)}) == 256
