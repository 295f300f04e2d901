from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from skinfw.components.field_names import APPAREL, BODY, FACE, KEEP, KEYPOINTS, LINE, MASK, SKIN
from skinfw.data.keypoints import Keypoints
from skinfw.data.resize import resize_image
from skinfw.data.skeleton import draw_skeleton
from skinfw.errors import DataError
from skinfw.testing import check_dataset, example_dataset_io
from skinfw_plugins.datasets.config import MannequinsConfig
from skinfw_plugins.datasets.mannequin import CLASSES, draw_person
from skinfw_plugins.datasets.mannequins import MannequinsDataset

ALL = (APPAREL, LINE, SKIN, FACE)


def dataset(inputs: tuple[str, ...] = ALL, needs_keypoints: bool = False, **config: Any) -> MannequinsDataset:
    io = example_dataset_io((64, 48), inputs, needs_keypoints=needs_keypoints)
    return MannequinsDataset(MannequinsConfig(**config), io)


def test_names() -> None:
    names = dataset(count=12).names()
    assert (len(names), names[0], names[11]) == (12, "mannequin-000000", "mannequin-000011")
    assert len(dataset().names()) == 1000


def test_a_sample_is_the_drawing_taken_apart() -> None:
    sample = dataset(count=5).load("mannequin-000003")
    drawing = draw_person(3, (64, 48))
    person = drawing.labels != CLASSES.index("background")
    skin = drawing.labels == CLASSES.index("skin")
    keep = sample[KEEP]
    assert np.array_equal(sample[SKIN], skin)
    assert np.array_equal(sample[BODY], np.where(person[..., None], drawing.image, 255))
    assert keep.any() and not (keep & (skin | ~person)).any()
    assert np.array_equal(sample[MASK], person & ~keep)
    assert np.array_equal(sample[APPAREL], np.where(keep[..., None], drawing.image, 255))
    assert np.array_equal(sample[FACE], (drawing.labels == CLASSES.index("face")) & keep)
    assert sample[LINE].any()


def test_only_what_is_asked_for() -> None:
    always = {APPAREL, BODY, KEEP, MASK, SKIN}
    assert set(dataset((APPAREL,)).load("mannequin-000000").fields) == always
    assert set(dataset().load("mannequin-000000").fields) == {*always, LINE, FACE}


def test_another_seed_draws_other_people() -> None:
    one, other = (dataset(seed=seed).load("mannequin-000000") for seed in (0, 1))
    assert not np.array_equal(one[BODY], other[BODY])
    # nobody of one seed comes again one further under the next
    assert not np.array_equal(dataset(seed=0).load("mannequin-000001")[BODY], other[BODY])


def test_fingerprint_tells_seed_and_number() -> None:
    prints = {
        dataset(seed=seed, count=count).fingerprint() for seed, count in ((0, 5), (0, 5), (1, 5), (0, 6))
    }
    assert len(prints) == 3


@pytest.mark.parametrize("name", ["mannequin-000005", "mannequin-x", "anna", "mannequin--00001", ""])
def test_unknown_names(name: str) -> None:
    with pytest.raises(DataError, match="there are 5"):
        dataset(count=5).load(name)


def test_needs_keypoints() -> None:
    check_dataset(MannequinsDataset, MannequinsConfig(count=3), needs_keypoints=True)
    found = dataset(count=5, needs_keypoints=True).load("mannequin-000003")[KEYPOINTS]
    assert np.array_equal(found.points, draw_person(3, (64, 48)).points)


def test_the_pose_is_drawn_as_that_of_a_resized_photo() -> None:
    sample = dataset(count=5).load("mannequin-000003")
    photo = draw_skeleton(Keypoints(draw_person(3, (1024, 768)).points), (1024, 768))
    resized = resize_image(photo, (64, 48)).astype(int)
    assert np.abs(sample[LINE] - resized).mean() < 1.5
