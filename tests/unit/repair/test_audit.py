"""An audit: each metric by hand or with skimage, the segmenter's error, the groups, the page."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab
from try_on import CLASSES, REGIONS, SKIN, draw_person, relabeled, try_on, write_pair

from skinfw.components.config import ComponentConfig
from skinfw.data.photo import Photo
from skinfw.data.resize import resize_image, resize_labels
from skinfw.data.segmentation import Segmentation
from skinfw.errors import DataError
from skinfw.inference.beside import SegmenterBeside
from skinfw.interfaces import Segmenter
from skinfw.repair import Parser, audit, find_pairs
from skinfw.repair.audit_page import write_audit_page
from skinfw.repair.measure import METRICS, measure, mirrored_segmentation, tone_of
from skinfw.repair.pair import compare

PERSON = draw_person()
RESULT = try_on(PERSON)


def pair_of(result: np.ndarray, parse: Segmentation = PERSON.parse_bare) -> Any:
    return compare(PERSON.photo, result, PERSON.parse, parse, PERSON.pose)


def test_color_and_angle_agree_with_skimage() -> None:
    pair = pair_of(RESULT)
    values = measure(pair, RESULT)
    both = pair.same_skin
    labs = rgb2lab(PERSON.photo), rgb2lab(RESULT)
    assert values["skin_difference"] == pytest.approx(deltaE_ciede2000(*labs)[both].mean(), abs=0.02)
    angles = []
    for lab in labs:
        lightness, _, yellowness = np.median(lab[both], axis=0)
        angles.append(math.degrees(math.atan2(lightness - 50, yellowness)))
    assert values["ita_change"] == pytest.approx(angles[1] - angles[0], abs=0.1)
    face = PERSON.parse.of_classes("face")
    assert values["face_changed"] == pytest.approx((deltaE_ciede2000(*labs)[face] > 5).mean(), abs=0.01)


def test_an_unchanged_picture_is_zero() -> None:
    values = measure(pair_of(PERSON.photo, PERSON.parse), PERSON.photo)
    assert values == {
        "skin_difference": 0.0,
        "ita_change": 0.0,
        "face_changed": 0.0,
        "hands_changed": 0.0,
        "leftover_sleeve": None,  # the clothes were not exchanged
    }


def test_a_vanished_hand_counts() -> None:
    result = PERSON.photo.copy()
    hand = PERSON.parse.region("skin") & (np.indices(result.shape[:2])[0] > 128)
    left = hand & (np.arange(180) < 60)
    result[left] = (0, 0, 255)
    values = measure(pair_of(result, relabeled(PERSON.parse, left, "background")), result)
    assert values["hands_changed"] == pytest.approx(left.sum() / hand.sum(), abs=0.05)
    assert values["face_changed"] == 0


def test_a_leftover_sleeve_is_the_part_with_the_old_color() -> None:
    # the clothes on the trunk are green now; the right sleeve is still the old one, the left arm is bare
    result = RESULT.copy()
    sleeve = PERSON.parse.of_classes("top") & PERSON.parse_bare.region("skin") & (np.arange(180) < 68)
    result[sleeve] = PERSON.photo[sleeve]
    values = measure(pair_of(result, relabeled(PERSON.parse_bare, sleeve, "top")), result)
    assert values["leftover_sleeve"] == pytest.approx(0.5, abs=0.1)
    assert measure(pair_of(RESULT), RESULT)["leftover_sleeve"] == pytest.approx(0, abs=0.02)


def test_the_tone_is_that_of_the_photo() -> None:
    tone = tone_of(pair_of(RESULT))
    lightness, _, yellowness = rgb2lab(np.array([[SKIN]], np.uint8))[0, 0]
    assert tone is not None
    assert tone.ita == pytest.approx(math.degrees(math.atan2(lightness - 50, yellowness)), abs=2)


class HalfBlindSegmenter(Segmenter[ComponentConfig]):
    """Knows the drawn person, but misses the columns at the left of every picture."""

    def segment(self, photo: Photo) -> Segmentation:
        own = resize_image(photo.pixels, (RESULT.shape[0], RESULT.shape[1]))
        mirrored = not (np.abs(own[200:].astype(int) - RESULT[200:]).mean() < 30)
        source = PERSON.parse_bare.labels
        labels = (source[:, ::-1] if mirrored else source).copy()
        labels[:, :45] = 0
        return Segmentation(resize_labels(labels, photo.size), CLASSES, REGIONS)


def test_the_segmenters_error_is_the_change_by_mirroring(tmp_path: Path, parser: Parser) -> None:
    write_pair(tmp_path, "anna")
    for kind in ("photos", "results"):
        (tmp_path / kind / "anna_labels.png").unlink()
    blind = HalfBlindSegmenter(ComponentConfig(), None)
    again = mirrored_segmentation(blind, Photo(RESULT))
    assert not again.labels[:, -45:].any()
    assert again.labels[:, :45].any()
    assert again.labels.shape == RESULT.shape[:2]
    pairing = find_pairs(tmp_path / "photos", tmp_path / "results", "names", blind.sources)
    found = audit(pairing, Parser(blind, parser.pose_encoder))
    values, mirrored = found.pairs["anna"].values, found.pairs["anna"].mirrored
    assert mirrored is not None
    for metric in ("skin_difference", "ita_change", "face_changed"):
        change = abs(mirrored[metric] - values[metric])  # type: ignore[operator]
        assert found.segmenter_error(metric) == pytest.approx(change)
    assert found.segmenter_error("skin_difference") > 0  # type: ignore[operator]
    assert found.segmenter_error("face_changed") == 0
    assert found.segmenter_error_unknown == ""


class Averaging(HalfBlindSegmenter):
    """Sees a mirrored picture exactly as the picture itself, but small pictures worse than large ones."""

    def segment(self, photo: Photo) -> Segmentation:
        found = super().segment(photo)
        labels = found.labels.copy()
        blind = 46 if photo.size == RESULT.shape[:2] else 20
        labels[:, :blind] = labels[:, -blind:] = 0
        return replace(found, labels=labels)


def test_a_segmenter_that_averages_mirror_images_has_an_error_too(tmp_path: Path, parser: Parser) -> None:
    write_pair(tmp_path, "anna")
    for kind in ("photos", "results"):
        (tmp_path / kind / "anna_labels.png").unlink()
    even = Averaging(ComponentConfig(), None)
    pairing = find_pairs(tmp_path / "photos", tmp_path / "results", "names", even.sources)
    assert audit(pairing, Parser(even, parser.pose_encoder)).segmenter_error("skin_difference") > 0  # type: ignore[operator]


def test_only_pairs_with_label_maps_beside_them_lack_the_segmenters_error(
    tmp_path: Path, parser: Parser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("anna", "ben", "cleo"):
        write_pair(tmp_path, name)
    for file in ("photos/anna", "results/anna", "photos/ben"):
        (tmp_path / f"{file}_labels.png").unlink()
    model: Any = SimpleNamespace(reference="skinfw:stand-in")
    finds = HalfBlindSegmenter(ComponentConfig(), None)
    monkeypatch.setattr(SegmenterBeside, "_parser", finds)
    beside = SegmenterBeside(parser.segmenter, model)
    pairing = find_pairs(tmp_path / "photos", tmp_path / "results", "names", beside.sources)
    found = audit(pairing, Parser(beside, parser.pose_encoder))
    measured = {name: pair.mirrored is not None for name, pair in found.pairs.items()}
    assert measured == {"anna": True, "ben": False, "cleo": False}
    assert found.segmenter_error("skin_difference") is not None
    assert found.segmenter_error_unknown.startswith("for 2 of 3 pairs: label maps were read from files")


def test_groups_intervals_and_page(tmp_path: Path, parser: Parser) -> None:
    tints = [(14, -6, -10), (20, 0, 0), (-10, 0, 10), (8, 8, 8), (-6, -6, 0), (0, 12, 0)]
    for number, tint in enumerate(tints):
        write_pair(tmp_path, f"anna<{number}>", result=try_on(PERSON, tint))
    write_pair(tmp_path, "ben", result=np.full((240, 180, 3), 200, np.uint8))
    write_pair(tmp_path, "cleo", "other")
    pairing = find_pairs(tmp_path / "photos", tmp_path / "results", "names", parser.sources)
    found = audit(pairing, parser)
    data = found.to_json()
    assert data["counts"] == {"measured": 6, "failed": 1, "unmatched_photos": 1, "unmatched_results": 1}
    assert list(data["failed"]) == ["ben"]
    values = [found.pairs[f"anna<{number}>"].values["skin_difference"] for number in range(6)]
    whole = data["metrics"]["skin_difference"]["all"]
    assert whole["mean"] == pytest.approx(np.mean(values))  # type: ignore[arg-type]
    assert min(values) <= whole["low"] < whole["mean"] < whole["high"] <= max(values)  # type: ignore[type-var]
    assert whole["segmenter_error"] is None
    assert "read from files" in data["segmenter_error_unknown"]
    (group,) = found.groups()
    assert list(data["metrics"]["skin_difference"]["by_tone"]) == [group]
    page = tmp_path / "page.html"
    write_audit_page(found, "a <system>", page)
    text = page.read_text()
    assert "<h1>Audit of try-on results: a &lt;system&gt;</h1>" in text
    assert "<title>Audit of try-on results: a &lt;system&gt; " in text
    assert "anna&lt;0&gt;" in text
    assert "other.png" in text
    assert "the result does not show this photo" in text
    assert text.count("data:image/webp") == 18
    assert "http" not in text.replace("http-equiv", "")
    assert all(metric.label in text for metric in METRICS.values())
    json.dumps(data)


def test_no_measurable_pair_is_an_error(tmp_path: Path, parser: Parser) -> None:
    write_pair(tmp_path, "ben", result=np.full((240, 180, 3), 200, np.uint8))
    pairing = find_pairs(tmp_path / "photos", tmp_path / "results", "names", parser.sources)
    with pytest.raises(DataError, match="none of the 1 pairs could be measured; the first: the result does"):
        audit(pairing, parser)
