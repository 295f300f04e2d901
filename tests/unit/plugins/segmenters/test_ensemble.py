from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from tiny_models import write_onnx

import skinfw
from skinfw.data.photo import Photo
from skinfw.data.segmentation import Segmentation
from skinfw.errors import DataError, UserError
from skinfw_plugins.segmenters.config_detectors import EnsembleConfig
from skinfw_plugins.segmenters.ensemble import CLASSES, EnsembleSegmenter, by_priority, by_vote

WHITE, BROWN, BLACK, BLUE = (255, 255, 255), (200, 150, 120), (20, 20, 20), (40, 60, 200)
IMAGE = Photo(np.array([[WHITE, BROWN, BLACK, BLUE]], np.uint8))


@pytest.fixture
def member(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Make a member that gives each of the four colors above a class, and the classes regions."""

    def make(table: dict[str, list[str]], /, **settings: Any) -> dict[str, Any]:
        path = write_onnx(tmp_path / "parser.onnx", [WHITE, BROWN, BLACK, BLUE])
        parser = {
            "type": "onnx_parser",
            "path": path,
            "labels": {"classes": ["white", "brown", "face", "blue"], "regions": table},
            "size": [1, 4],
            "mean": [0, 0, 0],
            "std": [1, 1, 1],
        }
        return {"segmenter": parser, **settings}

    return make


def ensemble(*members: dict[str, Any], **settings: Any) -> EnsembleSegmenter:
    return EnsembleSegmenter(EnsembleConfig.model_validate({"members": members, **settings}), None)


def names(found: Segmentation) -> list[str]:
    return [found.classes[label] for label in found.labels[0]]


def test_the_first_member_that_gives_a_region_wins(member: Callable[..., dict[str, Any]]) -> None:
    first = member({"skin": ["brown", "face"], "apparel": ["blue"]}, regions=["skin"])
    second = member({"background": ["white"], "head": ["face"], "apparel": ["brown"]})
    found = ensemble(first, second).segment(IMAGE)
    assert names(found) == ["background", "skin", "skin", "elsewhere"]
    assert set(found.regions) == {"background", "skin", "head", "apparel"}
    found = ensemble(second, first).segment(IMAGE)
    assert names(found) == ["background", "apparel", "face", "elsewhere"]
    assert found.region("head").tolist() == [[False, False, True, False]]


def test_the_face_is_that_of_members_asked_for_the_head(member: Callable[..., dict[str, Any]]) -> None:
    whole = member({"head": ["face", "blue"], "background": ["white"]})
    assert names(ensemble(whole).segment(IMAGE)) == ["background", "elsewhere", "face", "head"]
    other = member({"head": ["face"], "background": ["white"]}, regions=["background"])
    found = ensemble(other).segment(IMAGE)
    assert names(found) == ["background", "elsewhere", "elsewhere", "elsewhere"]
    assert "face" not in found.classes and set(found.regions) == {"background"}


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        # brown: skin of the first against apparel of the other two
        ((1, 1, 1), "apparel"),
        ((3, 1, 1), "skin"),
        # half of the weight each: the first member's
        ((2, 1, 1), "skin"),
    ],
)
def test_votes_are_weighed(
    member: Callable[..., dict[str, Any]], weights: tuple[float, ...], expected: str
) -> None:
    regions = [{"skin": ["brown"], "apparel": ["blue"]}, *2 * [{"skin": ["blue"], "apparel": ["brown"]}]]
    members = [member(each, weight=weight) for each, weight in zip(regions, weights, strict=True)]
    assert names(ensemble(*members, rule="vote").segment(IMAGE))[1] == expected


def test_only_those_who_can_tell_a_region_vote_on_it(member: Callable[..., dict[str, Any]]) -> None:
    head = member({"head": ["face"]})
    others = [member({"background": ["white"]}), member({"background": ["white"]})]
    assert names(ensemble(*others, head, rule="vote").segment(IMAGE))[2] == "face"
    against = [member({"head": ["blue"]}), member({"head": ["blue"]})]
    assert names(ensemble(head, *against, rule="vote").segment(IMAGE))[2:] == ["elsewhere", "head"]


@pytest.mark.parametrize("rows", [4, 256])
def test_both_rules_against_a_loop_over_pixels(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skinfw_plugins.segmenters.ensemble._ROWS", rows)
    rng = np.random.default_rng(0)
    regions: Any = ("background", "skin", "apparel")
    claims: Any = []
    for weight in (1.0, 1.5, 0.7):
        codes = rng.integers(0, 4, (6, 5))
        claims.append(({name: codes == code for code, name in enumerate(regions)}, weight))
    del claims[1][0]["apparel"]
    priority, vote = by_priority(claims, (6, 5)), by_vote(claims, (6, 5))
    for place in np.ndindex(6, 5):
        given = [next((name for name in masks if masks[name][place]), None) for masks, _ in claims]
        first = next((name for name in given if name), "elsewhere")
        assert CLASSES[priority[place]] == first
        fractions = {}
        for name in dict.fromkeys(name for name in given if name):
            able = [(weight, masks[name][place]) for masks, weight in claims if name in masks]
            fractions[name] = sum(weight for weight, yes in able if yes) / sum(weight for weight, _ in able)
        best = max(fractions, key=lambda name: fractions[name], default=None)
        assert CLASSES[vote[place]] == (best if best and fractions[best] >= 0.5 else "elsewhere")


def test_a_region_that_a_member_cannot_tell(member: Callable[..., dict[str, Any]]) -> None:
    found = ensemble(member({"skin": ["brown"]}, regions=["skin", "feet"]))
    with pytest.raises(UserError, match="onnx_parser should find feet, but finds only skin"):
        found.segment(IMAGE)


def test_a_head_that_haar_does_not_find_is_left_to_the_next(member: Callable[..., dict[str, Any]]) -> None:
    parser = member({"head": ["face"], "background": ["white"]})
    haar = {"segmenter": "haar", "regions": ["head"]}
    found = ensemble(haar, parser).segment(IMAGE)
    assert names(found) == ["background", "elsewhere", "face", "elsewhere"]


def test_a_member_that_refuses_the_photo(member: Callable[..., dict[str, Any]]) -> None:
    parser = member({"skin": ["brown"], "background": ["white"]})
    with pytest.raises(DataError, match="on disk"):
        ensemble({"segmenter": "deepfashion"}, parser).segment(IMAGE)
    found = ensemble({"segmenter": "deepfashion", "optional": True}, parser).segment(IMAGE)
    assert names(found) == ["background", "skin", "elsewhere", "elsewhere"]
    with pytest.raises(DataError, match="on disk"):  # nobody else tells the feet
        ensemble({"segmenter": "deepfashion", "optional": True, "regions": ["feet"]}, parser).segment(IMAGE)
    with pytest.raises(DataError, match="on disk"):
        ensemble({"segmenter": "deepfashion", "optional": True}).segment(IMAGE)


def test_sources_and_fingerprint_are_those_of_the_members(member: Callable[..., dict[str, Any]]) -> None:
    maps = [{"segmenter": {"type": "deepfashion", "suffix": suffix}} for suffix in ("_a.png", "_b.png")]
    photo = Path("x/photo.jpg")
    found = ensemble(*maps, maps[0]).sources(photo)
    assert found == (Path("x/photo_a.png"), Path("x/photo_b.png"))
    parser = member({"skin": ["brown"]})
    first = ensemble(parser, *maps).fingerprint()
    write_onnx(parser["segmenter"]["path"], [BLUE, BROWN, BLACK, WHITE])
    assert ensemble(parser, *maps).fingerprint() != first


def test_one_region_twice() -> None:
    with pytest.raises(ValidationError, match="member 1 lists a region twice"):
        ensemble({"segmenter": "haar"}, {"segmenter": "haar", "regions": ["head", "head"]})


def test_an_ensemble_can_be_a_member() -> None:
    inner = skinfw.use("segmenter", "ensemble", members=[{"segmenter": "haar"}])
    found = ensemble({"segmenter": inner.to_json()}).segment(IMAGE)
    assert names(found) == ["elsewhere"] * 4 and set(found.regions) == {"head"}
