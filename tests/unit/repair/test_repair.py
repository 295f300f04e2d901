"""Repairing one result: what is restored, toned, painted and left, on a drawn person of known truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image
from skimage.color import deltaE_ciede2000, rgb2lab
from try_on import PAINT, FlatPainter, draw_person, relabeled, try_on

import skinfw.repair
from skinfw.data.keypoints import Keypoints
from skinfw.data.segmentation import Segmentation
from skinfw.errors import ArgumentError, DataError, SkinfwError
from skinfw.repair.geometry import geometries
from skinfw.repair.repairing import PAINTED, RESTORED, TONED, UNTOUCHED, Repaired, as_photo

PERSON = draw_person()
RESULT = try_on(PERSON)
ARMS = PERSON.parse.region("apparel") & PERSON.parse_bare.region("skin")


def repaired(**options: object) -> Repaired:
    settings = {
        "parse_person": PERSON.parse,
        "parse_result": PERSON.parse_bare,
        "pose": PERSON.pose,
        "steps": ("restore", "tone"),
        **options,
    }
    return skinfw.repair.repair(PERSON.photo, RESULT, **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def full() -> tuple[Repaired, FlatPainter]:
    painter = FlatPainter()
    return repaired(inpainter=painter, steps=("restore", "tone", "paint")), painter


def test_the_four_kinds_of_pixels(full: tuple[Repaired, FlatPainter]) -> None:
    found, _ = full
    image, kinds = found.image, found.provenance
    assert set(np.unique(kinds)) == {UNTOUCHED, RESTORED, PAINTED, TONED}
    assert (image[kinds == UNTOUCHED] == RESULT[kinds == UNTOUCHED]).all()
    assert (image[kinds == RESTORED] == PERSON.photo[kinds == RESTORED]).all()
    # in the painted tone, with the result's structure
    assert image[kinds == PAINTED].mean(axis=0) == pytest.approx(PAINT, abs=4)
    assert 0.3 < found.report["own_structure"] <= 1
    assert found.report["pixels"] == {
        "untouched": (kinds == UNTOUCHED).sum(),
        "restored": (kinds == RESTORED).sum(),
        "painted": (kinds == PAINTED).sum(),
        "toned": (kinds == TONED).sum(),
    }


def test_face_hands_and_skin_are_restored(full: tuple[Repaired, FlatPainter]) -> None:
    found, _ = full
    restored = found.provenance == RESTORED
    face = PERSON.parse.of_classes("face")
    assert (restored & face).sum() > 0.8 * face.sum()
    assert restored[136, 36]  # a hand
    counts = found.report["restored"]
    assert counts["face"] == (restored & face).sum()
    assert counts["hands"] > 100
    assert sum(counts.values()) == restored.sum()
    # nothing next to clothes, which label maps may miss by some pixels
    assert not (restored & PERSON.parse.region("apparel")).any()


def test_arms_are_painted_but_no_hands_and_nothing_else(full: tuple[Repaired, FlatPainter]) -> None:
    found, painter = full
    painted = found.provenance == PAINTED
    assert (painter.mask == painted).all()
    assert (painted & ARMS).sum() > 0.7 * ARMS.sum()
    assert not (painted & ~PERSON.parse_bare.region("skin")).any()
    assert not painted[134:, :60].any()  # the hand
    # it is given what was restored, so it sees the photo's tone
    assert (painter.image[found.provenance == RESTORED] == PERSON.photo[found.provenance == RESTORED]).all()
    assert painter.keypoints.points[0, :2].tolist() == pytest.approx([90, 34])


def test_the_tone_of_the_rest_is_the_photos(full: tuple[Repaired, FlatPainter]) -> None:
    found, _ = full
    toned = found.provenance == TONED
    before = rgb2lab(RESULT)[toned].mean(axis=0) - rgb2lab(PERSON.bare)[toned].mean(axis=0)
    after = rgb2lab(found.image)[toned].mean(axis=0) - rgb2lab(PERSON.bare)[toned].mean(axis=0)
    assert np.linalg.norm(after) < 0.5 * np.linalg.norm(before)


def test_the_color_difference_is_that_of_skimage() -> None:
    found = repaired(steps=("tone",))
    bare = PERSON.parse.region("skin") | PERSON.parse.of_classes("face")
    both = bare & (PERSON.parse_bare.region("skin") | PERSON.parse_bare.of_classes("face"))
    assert found.report["not_restored"]["contours differ"] == 0  # then it is measured on all of it
    for when, image in (("before", RESULT), ("after", found.image)):
        expected = deltaE_ciede2000(rgb2lab(PERSON.photo), rgb2lab(image))[both].mean()
        assert found.report["color_difference"][when] == pytest.approx(expected, abs=0.02)
    assert found.report["color_difference"]["after"] < found.report["color_difference"]["before"] / 1.5


@pytest.mark.parametrize(("step", "kind"), [("restore", RESTORED), ("tone", TONED), ("paint", PAINTED)])
def test_only_one_step(step: str, kind: int) -> None:
    painter = FlatPainter() if step == "paint" else None
    found = repaired(inpainter=painter, steps=(step,))
    assert set(np.unique(found.provenance)) == {UNTOUCHED, kind}
    left = found.report["left"]
    assert (
        "paint is off" not in left if step == "paint" else left == {"paint is off": found.report["new_skin"]}
    )


def test_a_moved_limb_is_not_restored() -> None:
    # the result's right arm has moved by most of its width
    arm = PERSON.parse_bare.region("skin") & (np.arange(180) < 66)
    moved = relabeled(PERSON.parse_bare, arm, "background")
    moved = relabeled(moved, np.roll(arm, -9, axis=1), "skin")
    found = repaired(parse_result=moved, steps=("restore",))
    restored = found.provenance == RESTORED
    assert not restored[128:, :62].any()
    assert restored[136, 144]  # the other hand
    assert found.report["not_restored"]["contours differ"] > 0


def test_without_a_pose_nothing_is_painted() -> None:
    painter = FlatPainter()
    found = repaired(inpainter=painter, pose=None, steps=("paint",))
    assert not (found.provenance == PAINTED).any()
    assert found.report["left"] == {"no pose": found.report["new_skin"]}
    assert (found.image == RESULT).all()


def test_a_bare_trunk_is_left_and_reported() -> None:
    belly = np.zeros(PERSON.parse.labels.shape, bool)
    belly[70:128, 80:100] = True
    made = relabeled(PERSON.parse_bare, belly, "skin")
    found = repaired(parse_result=made, inpainter=FlatPainter(), steps=("paint",))
    assert not (found.provenance[belly] == PAINTED).any()
    assert found.report["left"]["trunk or hips"] > 0.8 * belly.sum()


def test_an_inpainter_that_spills_is_an_error() -> None:
    with pytest.raises(SkinfwError, match="3 pixels outside its mask"):
        repaired(inpainter=FlatPainter(spill=3), steps=("paint",))


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_results_of_another_shape(fit: str) -> None:
    blank = np.full((240, {"crop": 150, "pad": 210}[fit], 3), 255, np.uint8)
    geometry = next(each for each in geometries((240, 180), blank) if each.fit == fit)
    made = geometry.image(RESULT)
    found = skinfw.repair.repair(
        Image.fromarray(PERSON.photo),
        made,
        parse_person=PERSON.parse,
        parse_result=geometry.segmentation(PERSON.parse_bare),
        steps=("restore",),
    )
    assert found.report["alignment"]["fit"] == fit
    assert found.image.shape == made.shape
    restored = found.provenance == RESTORED
    assert restored.sum() > 1000
    assert (found.image[restored] == geometry.image(PERSON.photo)[restored]).all()
    assert (found.image[~restored] == made[~restored]).all()


def test_errors_say_what_to_do() -> None:
    with pytest.raises(ArgumentError, match="no step 'glow'; the steps are restore, tone, paint"):
        repaired(steps=("glow",))
    with pytest.raises(ArgumentError, match="needs an inpainter"):
        repaired(steps=("paint",))
    with pytest.raises(DataError, match=r"give uint8 \(H, W, 3\)"):
        skinfw.repair.repair(
            PERSON.photo / 255, RESULT, parse_person=PERSON.parse, parse_result=PERSON.parse, steps=("tone",)
        )
    small = Segmentation(PERSON.parse.labels[::2], PERSON.parse.classes, PERSON.parse.regions)
    with pytest.raises(DataError, match="label map of the result has 120x180"):
        repaired(parse_result=small)
    regions = {key: value for key, value in PERSON.parse.regions.items() if key != "skin"}
    parts = Segmentation(PERSON.parse.labels, PERSON.parse.classes, regions)
    with pytest.raises(DataError, match="no class of skin"):
        repaired(parse_person=parts, parse_result=parts)


def test_no_visible_skin_refuses_the_tone() -> None:
    bare = PERSON.parse.region("skin") | PERSON.parse.of_classes("face")
    hidden = relabeled(PERSON.parse, bare, "top")
    with pytest.raises(DataError, match="too little skin"):
        repaired(parse_person=hidden, steps=("tone",))
    assert not repaired(parse_person=hidden, steps=("restore",)).provenance.any()


def test_the_face_comes_from_the_pose_without_face_classes() -> None:
    classes = tuple("head" if name == "face" else name for name in PERSON.parse.classes)
    regions = {**PERSON.parse.regions, "head": ("head", "hair")}
    parses = [Segmentation(each.labels, classes, regions) for each in (PERSON.parse, PERSON.parse_bare)]
    found = repaired(parse_person=parses[0], parse_result=parses[1], steps=("restore",))
    assert found.report["restored"]["face"] > 300
    nobody = Keypoints(np.zeros((25, 3), np.float32))
    found = repaired(parse_person=parses[0], parse_result=parses[1], pose=nobody, steps=("restore",))
    assert found.report["restored"]["face"] == 0


def test_images_in_memory_are_read_as_files_are(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    pixels = np.zeros((20, 30, 4), np.uint8)
    pixels[:10] = (200, 100, 50, 255)
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as image:
        found = as_photo(image).pixels
    assert found.shape == (30, 20, 3)
    assert (found == as_photo(tmp_path / "turned.png").pixels).all()
    assert (found[:, 10:] == (200, 100, 50)).all()
    assert (found[:, :10] == 255).all()  # transparent pixels are on white
