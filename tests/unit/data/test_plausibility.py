from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from skinfw.data.keypoints import Keypoints
from skinfw.data.label_evidence import evidence_of
from skinfw.data.plausibility import MIRRORED, OWN, better_tables_of_set, check_label_map, fits_of
from skinfw.data.segmentation import LabelTable, Segmentation
from skinfw_plugins.datasets.mannequin import CLASSES, draw_person
from skinfw_plugins.segmenters.label_sets import LABEL_SETS

NAMES: Mapping[str, Mapping[str, str]] = {
    "atr": {"top": "upper_clothes", "outer": "upper_clothes"},
    "lip": {"top": "upper_clothes", "outer": "coat"},
    "cihp": {"top": "upper_clothes", "outer": "coat"},
    "deepfashion": {},
    "deepfashion_multimodal": {},
}
TABLES = {name: LabelTable(LABEL_SETS[name].classes, LABEL_SETS[name].regions) for name in NAMES}  # type: ignore[index]
PEOPLE = [draw_person(seed, (192, 128)) for seed in range(6)]


def written(seed: int, labels: str) -> np.ndarray:
    """A drawn person's label map in the codes of a set; skin is arms above the hips and legs below."""
    drawing, classes = PEOPLE[seed], TABLES[labels].classes
    codes = np.zeros_like(drawing.labels)
    hips = drawing.points[8, 1]
    below = np.arange(len(codes))[:, None] > hips
    for index, name in enumerate(CLASSES):
        there = drawing.labels == index
        named = NAMES[labels].get(name, name)
        if named in classes:
            codes[there] = classes.index(named)
        elif named == "skin":
            codes[there & below], codes[there & ~below] = classes.index("left_leg"), classes.index("left_arm")
        elif named == "footwear":
            codes[there] = classes.index("left_shoe")
        else:
            raise AssertionError(named)
    return codes


def read(codes: np.ndarray, labels: str) -> Segmentation:
    return Segmentation(codes, TABLES[labels].classes, TABLES[labels].regions)


def others(labels: str) -> dict[str, LabelTable]:
    return {name: table for name, table in TABLES.items() if name != labels}


@pytest.mark.parametrize("labels", list(NAMES))
def test_maps_read_with_their_own_table_are_plausible(labels: str) -> None:
    for seed, drawing in enumerate(PEOPLE):
        found = read(written(seed, labels), labels)
        fits, wrong = check_label_map(found, Keypoints(drawing.points), others(labels))
        assert not wrong, (seed, fits)


@pytest.mark.parametrize("reading", list(NAMES))
@pytest.mark.parametrize("labels", list(NAMES))
def test_maps_read_with_another_table_are_noticed_and_theirs_is_named(labels: str, reading: str) -> None:
    if labels == reading or {labels, reading} == {"lip", "cihp"}:  # these two differ in one class
        return
    tried, named = 0, 0
    for seed, drawing in enumerate(PEOPLE):
        codes = written(seed, labels)
        if codes.max() < len(TABLES[reading].classes):
            tried += 1
            _, wrong = check_label_map(read(codes, reading), Keypoints(drawing.points), others(reading))
            named += labels in wrong.split("; with ")[-1].split()
    assert named == tried
    assert tried or len(TABLES[reading].classes) < len(TABLES[labels].classes)


def test_cihp_read_as_lip_is_noticed_over_a_set() -> None:
    fits = []
    for seed, drawing in enumerate(PEOPLE):
        codes, pose = written(seed, "cihp"), Keypoints(drawing.points)
        neck, nose, shoulder = (pose.point(name)[:2] for name in ("Neck", "Nose", "RShoulder"))
        y, x = np.mgrid[: codes.shape[0], : codes.shape[1]]
        middle, radius = neck + 0.15 * (nose - neck), 0.6 * np.linalg.norm(neck - shoulder)
        codes[np.hypot(x - middle[0], y - middle[1]) < radius] = TABLES["cihp"].classes.index("torso_skin")
        for own, gathered in (("lip", fits), ("cihp", [])):
            evidence = evidence_of(read(codes, own), pose)
            assert evidence is not None
            gathered.append(fits_of(evidence, TABLES[own], others(own)))
    assert better_tables_of_set(fits) == ["cihp"]


def test_a_map_that_lost_its_background_is_noticed() -> None:
    codes = written(0, "atr")
    codes[codes == 0] = TABLES["atr"].classes.index("dress")
    _, wrong = check_label_map(read(codes, "atr"), Keypoints(PEOPLE[0].points), others("atr"))
    assert "0% of the area far from the person is background" in wrong


def test_a_pose_of_half_the_size_is_noticed() -> None:
    pose = Keypoints(PEOPLE[0].points).mapped(0.4, 0.4, 0, 0)
    _, wrong = check_label_map(read(written(0, "atr"), "atr"), pose, {})
    assert "map and pose may belong to different photos or sizes" in wrong and "Nose on background" in wrong


@pytest.mark.parametrize("turn", [np.rot90, np.flipud, np.transpose, lambda codes: np.rot90(codes, -1)])
def test_turned_maps_are_noticed(turn: Callable[[np.ndarray], np.ndarray]) -> None:
    for seed, drawing in enumerate(PEOPLE):
        square = np.pad(written(seed, "deepfashion"), ((0, 0), (32, 32)))
        pose = Keypoints(drawing.points).mapped(1, 1, 32, 0)
        assert not check_label_map(read(square, "deepfashion"), pose, {})[1]
        _, wrong = check_label_map(read(np.ascontiguousarray(turn(square)), "deepfashion"), pose, {})
        assert "Nose on" in wrong and "rotated" in wrong


def test_mirrored_maps_are_noticed_over_a_set() -> None:
    found = {}
    for mirrored in (False, True):
        fits = []
        for seed, drawing in enumerate(PEOPLE):
            codes = written(seed, "deepfashion")
            codes = codes[:, ::-1].copy() if mirrored else codes
            fits.append(check_label_map(read(codes, "deepfashion"), Keypoints(drawing.points), {})[0])
        found[mirrored] = better_tables_of_set(fits)
    assert found == {False: [], True: [MIRRORED]}


def test_a_head_without_a_region_is_no_error() -> None:
    codes, pose = written(0, "deepfashion"), Keypoints(PEOPLE[0].points)
    known = {name: names for name, names in TABLES["deepfashion"].regions.items() if name != "head"}
    assert not check_label_map(Segmentation(codes, TABLES["deepfashion"].classes, known), pose, {})[1]


def test_too_few_points_say_nothing() -> None:
    points = np.zeros((25, 3), np.float32)
    points[0] = 5, 5, 0.9
    assert check_label_map(read(written(0, "atr"), "atr"), Keypoints(points), others("atr")) == ({}, "")


def test_without_a_pose_the_outline_says_where_the_body_is() -> None:
    for seed in range(len(PEOPLE)):
        evidence = evidence_of(read(written(seed, "atr"), "lip"), None)
        assert evidence is not None
        fits = fits_of(evidence, TABLES["lip"], others("lip"))
        assert max(fits, key=lambda name: fits[name]) == "atr" and fits["atr"] > fits[OWN] + 0.15
    nobody = np.zeros((20, 20), np.uint8)
    assert evidence_of(read(nobody, "atr"), None) is None
