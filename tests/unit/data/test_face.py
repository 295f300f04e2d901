from __future__ import annotations

import numpy as np
import pytest

from skinfw.data.face import face_classes, face_from_keypoints
from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw_plugins.datasets.mannequin import CLASSES, draw_person
from skinfw_plugins.segmenters.config_labels import LabelSetName
from skinfw_plugins.segmenters.label_sets import LABEL_SETS


def pose(**points: tuple[float, float]) -> Keypoints:
    values = np.zeros((25, 3), np.float32)
    for name, (x, y) in points.items():
        values[BODY_25.index(name)] = x, y, 0.9
    return Keypoints(values)


def test_names_of_face_classes() -> None:
    assert face_classes(("hair", "face", "left_face", "Face", "surface")) == ("face", "left_face", "Face")
    assert face_classes(("body_skin", "face_skin", "Face-Neck", "faces")) == ("face_skin", "Face-Neck")


@pytest.mark.parametrize("name", [name for name in LABEL_SETS if name not in ("ccp", "pascal_person_part")])
def test_every_label_set_with_a_face_is_understood(name: LabelSetName) -> None:
    """In CCP the face is skin, in Pascal-Person-Part it is head."""
    labels = LABEL_SETS[name]
    faces = face_classes(labels.classes)
    assert faces and set(faces) <= set(labels.regions["head"])


def test_the_disc_covers_drawn_faces_well() -> None:
    overlaps = []
    for seed in range(12):
        drawing = draw_person(seed, (256, 128))
        face = drawing.labels == CLASSES.index("face")
        found = face_from_keypoints(Keypoints(drawing.points), (256, 128))
        assert found is not None
        # head only, as the kept mask does it for a sample
        found &= np.isin(drawing.labels, [CLASSES.index("face"), CLASSES.index("hair")])
        overlaps.append((face & found).sum() / (face | found).sum())
    assert np.median(overlaps) > 0.6


def test_radius_comes_from_the_ears() -> None:
    found = face_from_keypoints(pose(Nose=(50, 50), REar=(40, 50), LEar=(60, 50)), (100, 100))
    assert found is not None
    # 0.6 times 20 pixels
    assert found[50, 62] and not found[50, 64] and found[38, 50]


def test_seen_from_the_back_there_is_no_face() -> None:
    found = face_from_keypoints(pose(Neck=(50, 60), REar=(40, 50), LEar=(60, 50)), (100, 100))
    assert found is not None and not found.any()


def test_a_pose_that_cannot_tell() -> None:
    assert face_from_keypoints(pose(), (100, 100)) is None
    assert face_from_keypoints(pose(Nose=(50, 50)), (100, 100)) is None
