from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import write_onnx

from skinfw.data.photo import Photo
from skinfw.data.segmentation import Segmentation
from skinfw.errors import UserError
from skinfw_plugins.segmenters.config_detectors import FeetConfig
from skinfw_plugins.segmenters.feet import FeetSegmenter, skin_on_the_ground

WHITE, BROWN, BLACK, BLUE = (255, 255, 255), (200, 150, 120), (20, 20, 20), (40, 60, 200)
NAMES = ["wall", "skin", "left_shoe", "left_foot"]
REGIONS = {"background": ["wall"], "skin": ["skin"], "feet": ["left_shoe", "left_foot"]}


def person(height: int = 100, shoe: int = 0, foot: int = 0) -> Photo:
    """A bar of skin from row 10 to 90, with a shoe or a foot of so many pixels beside it."""
    pixels = np.full((height, 30, 3), WHITE, np.uint8)
    pixels[10:90, 10:14] = BROWN
    pixels[80, 20 : 20 + shoe] = BLACK
    pixels[81, 20 : 20 + foot] = BLUE
    return Photo(pixels)


def network(folder: Path, regions: dict[str, list[str]] | None = None, height: int = 100) -> dict[str, Any]:
    return {
        "type": "onnx_parser",
        "path": write_onnx(folder / "parser.onnx", [WHITE, BROWN, BLACK, BLUE]),
        "labels": {"classes": NAMES, "regions": regions or REGIONS},
        "size": [height, 30],
        "mean": [0, 0, 0],
        "std": [1, 1, 1],
    }


def feet(net: dict[str, Any], **settings: Any) -> FeetSegmenter:
    return FeetSegmenter(FeetConfig.model_validate({"network": net, **settings}), None)


def test_shoes_are_the_network_s(tmp_path: Path) -> None:
    found = feet(network(tmp_path)).segment(person(shoe=5, foot=3))
    assert np.argwhere(found.of_classes("footwear")).tolist() == [[80, x] for x in range(20, 25)]
    assert not found.of_classes("bare_feet").any()
    assert set(found.regions) == {"feet"}
    assert np.array_equal(found.region("feet"), found.of_classes("footwear"))


@pytest.mark.parametrize(("pixels", "worn"), [(2, False), (3, True)])
def test_a_speck_is_no_shoe(tmp_path: Path, pixels: int, worn: bool) -> None:
    """3000 pixels times 0.001."""
    found = feet(network(tmp_path), min_shoes=0.001).segment(person(shoe=pixels))
    assert found.of_classes("footwear").any() == worn
    assert found.of_classes("bare_feet").any() != worn


def test_bare_feet_are_the_lowest_skin_and_what_the_network_calls_a_foot(tmp_path: Path) -> None:
    """A twentieth of 80 rows are the rows 86 to 89."""
    found = feet(network(tmp_path)).segment(person(foot=2)).of_classes("bare_feet")
    expected = np.zeros((100, 30), bool)
    expected[86:90, 10:14] = expected[81, 20:22] = True
    assert np.array_equal(found, expected)


def test_who_is_cut_off_has_no_feet(tmp_path: Path) -> None:
    pixels = person().pixels[:90]
    found = feet(network(tmp_path, height=90)).segment(Photo(pixels))
    assert not found.region("feet").any()


def test_an_empty_image(tmp_path: Path) -> None:
    found = feet(network(tmp_path)).segment(Photo(np.full((100, 30, 3), 255, np.uint8)))
    assert not found.region("feet").any()


def test_skin_on_the_ground_needs_a_background() -> None:
    found = Segmentation(np.ones((4, 4), np.uint8), ("a", "skin"), {"skin": ("skin",)})
    assert not skin_on_the_ground(found, 0.25).any()


def test_bare_feet_of_another_segmenter(tmp_path: Path) -> None:
    """It calls feet what the network calls skin."""
    (tmp_path / "bare").mkdir()
    bare = network(tmp_path / "bare", {"feet": ["skin"]})
    found = feet(network(tmp_path), bare=bare).segment(person(foot=2))
    assert np.array_equal(found.of_classes("bare_feet"), (person().pixels == BROWN).all(axis=2))
    with_shoes = feet(network(tmp_path), bare=bare).segment(person(shoe=9))
    assert with_shoes.region("feet").sum() == 9


def test_the_haar_path_with_the_file_of_a_cascade(tmp_path: Path) -> None:
    """A cascade of faces stands in for one of feet: what it finds becomes bare feet."""
    import cv2
    import skimage.data

    file = Path(cv2.data.haarcascades, "haarcascade_frontalface_alt2.xml")
    bare = {"type": "haar", "detectors": [{"part": "feet", "file": file}]}
    photo = Photo(skimage.data.astronaut())
    net = network(tmp_path, {"background": ["wall", "left_foot"], "feet": ["left_shoe"]})
    found = feet(net, bare=bare, min_shoes=0.99).segment(photo).of_classes("bare_feet")
    y, x = np.argwhere(found).mean(axis=0)
    assert abs(y - 115) < 25 and abs(x - 222) < 25


@pytest.mark.parametrize(
    ("regions", "settings", "message"),
    [
        ({"skin": ["skin"]}, {}, r"onnx_parser has no class of footwear \(its region feet: none\)"),
        ({"feet": ["left_foot"]}, {}, r"no class of footwear \(its region feet: left_foot\)"),
        (None, {"footwear": ["boots"]}, "has no class boots; it has wall, skin"),
        ({"feet": ["left_shoe"]}, {}, "finds neither bare feet nor skin and background"),
        (None, {"bare": "haar"}, "haar does not find feet"),
    ],
)
def test_segmenters_that_will_not_do(
    tmp_path: Path, regions: dict[str, list[str]] | None, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        feet(network(tmp_path, regions), **settings).segment(person())


def test_footwear_by_name(tmp_path: Path) -> None:
    net = network(tmp_path, {"background": ["wall"], "skin": ["skin"]})
    found = feet(net, footwear=["left_shoe"]).segment(person(shoe=5))
    assert found.region("feet").sum() == 5


def test_sources_and_fingerprint(tmp_path: Path) -> None:
    found = FeetSegmenter(FeetConfig(), None)
    assert found.sources(Path("x/photo.jpg")) == (Path("x/photo_segment.png"),)
    first = feet(network(tmp_path)).fingerprint()
    assert first == feet(network(tmp_path)).fingerprint()
    assert first != feet(network(tmp_path), bare="haar").fingerprint()
