"""Which clothes belong to a limb, in a drawn scene: bags, neighbors and errors of the label map beside it."""

from __future__ import annotations

import numpy as np
import pytest

from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.data.segmentation import Mask, RegionName, Segmentation
from skinfw.inference.allowed import allowed_clothes, allowed_holes
from skinfw.inference.expose import CARRIED, clothes_over

SIZE = (340, 240)
REGIONS: dict[RegionName, tuple[str, ...]] = {
    "background": ("background",), "skin": ("skin",), "feet": ("shoe",), "apparel": ("cloth", "bag"),
}  # fmt: skip
CLASSES = ("background", "skin", "shoe", "cloth", "bag")
CLOTH, BAG = CLASSES.index("cloth"), CLASSES.index("bag")
POSE = {
    "Nose": (110, 20), "Neck": (110, 50), "MidHip": (110, 150),
    "RShoulder": (80, 50), "RElbow": (70, 90), "RWrist": (66, 130), "RHip": (92, 150), "RKnee": (90, 230),
    "RAnkle": (88, 305), "LShoulder": (140, 50), "LElbow": (150, 90), "LWrist": (154, 130),
    "LHip": (128, 150), "LKnee": (130, 230), "LAnkle": (132, 305),
}  # fmt: skip
UNIT = 100
LEGS = ("thighs", "lower_legs")


def pose(right: float = 0, **moved: tuple[float, float]) -> Keypoints:
    points = np.zeros((25, 3), np.float32)
    for name, (x, y) in (POSE | moved).items():
        points[BODY_25.index(name)] = (x + right, y, 1)
    return Keypoints(points)


def box(rows: tuple[int, int], columns: tuple[int, int]) -> Mask:
    found = np.zeros(SIZE, bool)
    found[slice(*rows), slice(*columns)] = True
    return found


TROUSERS = box((150, 316), (74, 108)) | box((150, 316), (112, 146))


class Scene:
    """A person in gray trousers before a white wall."""

    def __init__(self) -> None:
        self.photo = np.full((*SIZE, 3), 240, np.uint8)
        self.labels = np.zeros(SIZE, np.uint8)
        self.put(TROUSERS, 90)

    def put(self, where: Mask, level: int, label: int = CLOTH) -> None:
        self.photo[where], self.labels[where] = level, label

    @property
    def segmentation(self) -> Segmentation:
        return Segmentation(self.labels, CLASSES, REGIONS)

    def taken(self, *others: Keypoints, limbs: tuple[str, ...] = LEGS) -> tuple[Mask, Mask]:
        return clothes_over(limbs, self.photo, self.segmentation, [pose(), *others], "x")  # type: ignore[arg-type]


def test_trousers_go_down_to_their_ends() -> None:
    clothes, skin = Scene().taken()
    below = TROUSERS & box((185, 340), (0, 240))
    assert clothes[below].all() and not clothes[~TROUSERS].any()
    assert (skin & below).any() and not (skin & ~TROUSERS).any()
    assert not skin[312:].any()  # below the ankles no limb is drawn


@pytest.mark.parametrize("level", [40, 200])
def test_a_bag_beside_a_leg_stays_whole(level: int) -> None:
    scene = Scene()
    bag = box((190, 240), (146, 200))
    scene.put(bag, level)
    clothes, _ = scene.taken()
    assert clothes[TROUSERS & box((185, 340), (0, 240))].mean() > 0.99
    assert clothes[bag].mean() < 0.08  # the edge is blurred


def test_wide_clothes_go_up_to_their_edge() -> None:
    scene = Scene()
    flared = box((185, 290), (146, 154))
    scene.put(flared, 90)
    clothes, _ = scene.taken()
    assert clothes[flared].all()


def test_what_label_maps_call_a_bag_stays() -> None:
    scene = Scene()
    bag = box((190, 240), (140, 160))
    scene.put(bag, 90, BAG)
    clothes, _ = scene.taken()
    assert not clothes[bag].any()


def test_a_neighbor_keeps_their_trousers() -> None:
    scene = Scene()
    theirs = box((150, 316), (146, 180))
    scene.put(theirs, 90)
    touching = pose(72)
    (alone, _), (beside, _) = scene.taken(), scene.taken(touching)
    assert (alone & theirs).any() and not (beside & theirs & box((190, 316), (152, 240))).any()
    assert beside[TROUSERS & box((185, 300), (0, 140))].all()


def test_specks_of_the_label_map_leave_nothing_on_the_limb() -> None:
    scene = Scene()
    speck = box((220, 226), (126, 132))
    scene.labels[speck] = 0
    clothes, skin = scene.taken()
    assert skin[speck].all() and clothes[speck].all()
    scene.labels[box((212, 234), (121, 139))] = 0  # a window that is too large for an error
    assert not scene.taken()[1][speck].any()


def test_the_dark_hem_on_bare_skin_goes_too() -> None:
    scene = Scene()
    bare = TROUSERS & box((230, 306), (0, 240))
    scene.put(bare, 180, CLASSES.index("skin"))
    clothes, skin = scene.taken()
    middle = skin[230:, 128]
    assert middle[: round(0.02 * UNIT)].all() and not middle[round(0.02 * UNIT) + 1 : 70].any()
    assert np.array_equal(skin & bare, clothes & bare)


def warnings_of(**moved: tuple[float, float]) -> tuple[str, ...]:
    scene = Scene()
    person = pose(**moved)
    scene.put(box((40, 152), (56, 166)), 90)
    limbs = ("upper_arms", "forearms", *LEGS)
    return allowed_clothes(limbs, scene.photo, scene.segmentation, [person], "x").warnings  # type: ignore[arg-type]


def test_limbs_that_stay_covered_are_named_if_it_is_much() -> None:
    assert warnings_of() == ()
    crossed = warnings_of(RElbow=(76, 100), RWrist=(130, 100), LElbow=(144, 100), LWrist=(90, 105))
    assert len(crossed) == 1
    assert crossed[0].startswith("forearms: ") and crossed[0].endswith(
        "of what clothes cover stays covered, on the trunk or the hips; give a mask to paint it"
    )
    share = int(crossed[0].removeprefix("forearms: ").split("%")[0])
    assert 60 < share <= 100  # all but what reaches beyond the trunk


def test_holes_on_the_trunk_come_with_advice_if_they_are_large() -> None:
    limb = box((200, 260), (80, 100))
    said = allowed_holes(limb | box((80, 100), (105, 115)), [pose()], "x").warnings
    assert said == (
        "200 pixels of the holes on the trunk or the hips stay as they are; give a mask to paint them",
    )
    assert not allowed_holes(limb | box((80, 82), (105, 107)), [pose()], "x").warnings


@pytest.mark.parametrize(
    ("name", "carried"),
    [
        ("bag", True),
        ("shoulder_bag", True),
        ("Purse", True),
        ("backpack", True),
        ("top", False),
        ("baggy", False),
    ],
)
def test_what_is_carried_goes_by_its_name(name: str, carried: bool) -> None:
    assert bool(CARRIED.fullmatch(name)) == carried
