"""A problem of each kind, planted into a clean set, is found; a clean set has none."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

from skinfw.data.keypoints import read_openpose_json
from skinfw.data.sample_folder import read_record
from skinfw.data.sample_search import find_samples
from skinfw.data.split import position
from skinfw.doctor.config import DoctorConfig
from skinfw.doctor.examine import examine
from skinfw.doctor.finding import CHECKS, MEANINGS, DoctorReport, Finding, severity_of, worst_first
from skinfw.doctor.pairs import differing, moved

FIRST = "id_00000000/01_1_front"
SECOND = "id_00000001/01_1_front"


def look(samples: Path, **settings: Any) -> DoctorReport:
    base, names = find_samples(samples)
    return examine(base, names, DoctorConfig.model_validate({"num_workers": 1, **settings}))


def image(path: Path, mode: str = "RGB") -> Any:
    return np.array(Image.open(path).convert(mode))


def save(path: Path, pixels: Any) -> None:
    Image.fromarray(pixels).save(path)


def the_one(report: DoctorReport, check: str) -> Finding:
    """Return the only finding, which is of that check."""
    assert [finding.check for finding in report.findings] == [check], report.findings
    assert report.counts()[report.findings[0].check] == len(report.findings[0].samples)
    return report.findings[0]


def test_a_clean_set_has_no_error(samples: Path) -> None:
    report = look(samples)
    assert report.samples == 4
    assert report.findings == ()
    assert set(report.counts().values()) == {0}


def test_drawn_mannequins_have_no_error(write_samples: Callable[..., list[Path]], tmp_path: Path) -> None:
    write_samples(tmp_path / "people", [f"person-{index}" for index in range(24)], size=(128, 64))
    assert look(tmp_path / "people").findings == ()


def test_every_check_has_a_line_about_it() -> None:
    assert set(MEANINGS) == set(CHECKS)


@pytest.mark.parametrize(
    ("right", "down", "found"),
    [
        (3, 0, "3 pixels to the right"),
        (0, -1, "1 pixel up"),
        (-2, 4, "2 pixels to the left and 4 pixels down"),
        (20, -10, "20 pixels to the right and 10 pixels up"),
    ],
)
def test_a_shifted_pair(samples: Path, right: int, down: int, found: str) -> None:
    path = samples / FIRST / "body.png"
    save(path, moved(image(path), -right, -down))
    report = look(samples, mask_outside=1, uncovered_fraction=99, leak_fraction=1)
    finding = next(each for each in report.findings if each.check == "misaligned")
    assert finding.samples == (FIRST,)
    assert f"shifted against body, {found}:" in finding.message


@pytest.mark.parametrize(("right", "down"), [(1, 0), (0, -1)])
def test_a_shift_of_one_pixel_that_changes_few_pixels_much(samples: Path, right: int, down: int) -> None:
    """One sample of an aligned set, in plain clothes with a soft outline."""
    path = samples / FIRST / "body.png"
    soft = cv2.GaussianBlur(image(path), (0, 0), 4)
    kept = image(samples / FIRST / "apparel_head_foot.png", "RGBA")[..., 3:] > 0
    apparel = np.where(kept, np.dstack([soft, np.full((256, 128), 255, np.uint8)]), 255).astype(np.uint8)
    apparel[..., 3] = np.where(kept[..., 0], 255, 0)
    save(samples / FIRST / "apparel_head_foot.png", apparel)
    save(path, soft)
    assert "misaligned" not in {each.check for each in look(samples).findings}
    save(path, moved(soft, -right, -down))
    assert differing(apparel[..., :3], kept[..., 0], image(path), 32) < 0.03
    finding = next(each for each in look(samples).findings if each.check == "misaligned")
    assert finding.samples == (FIRST,)
    way = "1 pixel to the right" if right else "1 pixel up"
    assert f"is shifted against body, {way}:" in finding.message
    assert finding.severity == 1


def test_a_pair_of_two_people(samples: Path) -> None:
    shutil.copy(samples / SECOND / "body.png", samples / FIRST / "body.png")
    report = look(samples)
    finding = next(each for each in report.findings if each.check == "misaligned")
    assert finding.samples == (FIRST,)
    assert "no shift explains it" in finding.message


def test_noise_of_jpeg_is_no_misalignment(samples: Path) -> None:
    for part in ("apparel_head_foot", "body"):
        path = samples / FIRST / f"{part}.png"
        Image.open(path).convert("RGB").save(path.with_suffix(".jpg"), quality=75)
        path.unlink()
    assert "misaligned" not in {finding.check for finding in look(samples).findings}


def test_a_gray_mask(samples: Path) -> None:
    path = samples / FIRST / "segmentation_skin.png"
    mask = image(path, "L")
    mask[::4, :10] = 120
    save(path, mask)
    finding = the_one(look(samples, mask_outside=1, label_difference=1), "mask")
    # 640 of 256 x 128 pixels
    assert "2.0% of the pixels" in finding.message
    assert finding.severity == pytest.approx(640 / (256 * 128) / 0.01)
    mask[:10, :64] = 120
    save(path, mask)
    assert "an area around x=2, y=2 is gray (120)" in the_one(look(samples), "mask").message


def test_an_empty_mask(samples: Path) -> None:
    path = samples / FIRST / "segmentation_skin.png"
    save(path, np.zeros_like(image(path)))
    finding = next(each for each in look(samples).findings if each.check == "mask")
    assert "all black" in finding.message and finding.severity == 100


def test_an_empty_inpainting_mask(samples: Path) -> None:
    path = samples / FIRST / "mask.png"
    save(path, np.zeros_like(image(path)))
    finding = the_one(look(samples), "mask")
    assert finding.message.startswith("mask is all black: there is nothing to inpaint")
    assert finding.samples == (FIRST,) and finding.severity == 100


def test_an_inverted_inpainting_mask(samples: Path) -> None:
    path = samples / FIRST / "mask.png"
    mask = 255 - image(path, "L")
    save(path, mask)
    person = np.array(Image.open(samples / FIRST / "parsing.png")) > 0
    fraction = np.count_nonzero(~person & (mask > 0)) / np.count_nonzero(mask)
    finding = the_one(look(samples), "mask")
    assert f"{fraction:.0%} of mask lies outside the person; it may be inverted" in finding.message
    assert finding.severity == pytest.approx(fraction / 0.1)


def test_an_inpainting_mask_over_the_clothes(samples: Path) -> None:
    path = samples / FIRST / "mask.png"
    keep = image(samples / FIRST / "apparel_head_foot.png", "RGBA")[..., 3] > 0
    mask = image(path, "L")
    mask[keep & (np.arange(mask.shape[0]) > mask.shape[0] // 2)[:, None]] = 255
    save(path, mask)
    fraction = np.count_nonzero(keep & (mask > 0)) / np.count_nonzero(mask)
    assert fraction > 0.1
    finding = the_one(look(samples), "mask")
    assert f"{fraction:.0%} of mask is kept by the input" in finding.message
    assert look(samples, mask_outside=min(1, fraction + 0.01)).findings == ()


def test_an_inpainting_mask_in_color(samples: Path) -> None:
    path = samples / FIRST / "mask.png"
    mask = image(path)
    mask[100:120, 40:60] = 224, 172, 140
    save(path, mask)
    finding = the_one(look(samples), "mask")
    assert "mask.png" in finding.message and "has the color 224,172,140" in finding.message


def test_an_inverted_mask(samples: Path) -> None:
    path = samples / FIRST / "segmentation_skin.png"
    mask = 255 - image(path, "L")
    save(path, mask)
    person = np.array(Image.open(samples / FIRST / "parsing.png")) > 0
    outside = np.count_nonzero(~person & (mask > 0)) / np.count_nonzero(mask)
    finding = next(each for each in look(samples).findings if each.check == "mask")
    assert f"{outside:.0%} of segmentation_skin lies outside the person" in finding.message


def test_codes_without_a_class(samples: Path) -> None:
    path = samples / FIRST / "parsing.png"
    labels = np.array(Image.open(path))
    labels[:2] = 40
    save(path, labels)
    finding = the_one(look(samples), "labels")
    assert "holds the codes 40" in finding.message and "16 classes (0 to 15)" in finding.message


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"classes": ["background", "skin", "face", "face", *map(str, range(12))]},
            "names the class 'face' twice",
        ),
        ({"regions": {"skin": ["skin"], "head": ["face", "skin"]}}, "puts the class 'skin' into two regions"),
    ],
)
def test_a_table_that_means_nothing(samples: Path, changed: dict[str, Any], told: str) -> None:
    path = samples / FIRST / "sample.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changed}), "utf-8")
    messages = [each.message for each in look(samples).findings if each.check == "labels"]
    assert messages == [f"sample.json {told}; prepare the sample again"]


def test_a_label_map_in_colors(samples: Path) -> None:
    path = samples / FIRST / "parsing.png"
    save(path, image(path))
    assert "contains colors, not class codes" in the_one(look(samples), "labels").message


def without_rows(samples: Path, top: float, bottom: float) -> None:
    """Take a band of the first person, between two fractions of its height, for background."""
    path = samples / FIRST / "parsing.png"
    labels = Image.open(path)
    codes = np.array(labels)
    rows = np.flatnonzero(codes.any(axis=1))
    first, last = (round(rows[0] + fraction * (rows[-1] + 1 - rows[0])) for fraction in (top, bottom))
    codes[first:last] = 0
    made = Image.fromarray(codes, mode="P")
    made.putpalette(labels.getpalette() or [])
    made.save(path)


def test_a_person_without_a_trunk(samples: Path) -> None:
    without_rows(samples, 0.3, 0.5)
    person = (np.array(Image.open(samples / FIRST / "parsing.png")) > 0).astype(np.uint8)
    count, fragments = cv2.connectedComponents(person, connectivity=8)
    sizes = np.bincount(fragments[person > 0])
    loose = 1 - sizes.max() / sizes.sum()
    assert count > 2 and loose > 0.15
    finding = next(each for each in look(samples).findings if each.check == "fragments")
    assert finding.samples == (FIRST,)
    assert f"and {loose:.0%} of it is outside the largest" in finding.message
    assert finding.severity == pytest.approx(loose / 0.15)
    assert not look(samples, loose_fraction=0.9).counts()["fragments"]


def draw_person(samples: Path, *rectangles: tuple[int, int, int, int]) -> None:
    """Make the first label map rectangles, each of top, left, height and width in pixels, on background."""
    path = samples / FIRST / "parsing.png"
    labels = np.zeros_like(np.array(Image.open(path)))
    for top, left, height, width in rectangles:
        labels[top : top + height, left : left + width] = 1
    save(path, labels)


def fragments_named(samples: Path, **settings: Any) -> list[str]:
    return [finding.message for finding in look(samples, **settings).findings if finding.check == "fragments"]


def test_pieces_counted_by_hand(samples: Path) -> None:
    draw_person(samples, (10, 20, 6, 10), (40, 20, 6, 5), (70, 20, 2, 5))  # 60, 30 and 10 pixels
    assert fragments_named(samples) == [
        "the person of parsing.png consists of 3 fragments, and 40% of it is outside the largest; the "
        "segmenter may have missed what connects them, or labeled another person or an object as the person: "
        "segment the photo again, or exclude the sample"
    ]
    assert fragments_named(samples, loose_fraction=0.39) and not fragments_named(samples, loose_fraction=0.41)


def test_crumbs_are_loose_but_are_not_counted(samples: Path) -> None:
    # 150, 49 and 1 of 200 pixels; the last is half a per cent
    draw_person(samples, (10, 20, 15, 10), (40, 20, 7, 7), (70, 20, 1, 1))
    (told,) = fragments_named(samples)
    assert "consists of 2 fragments, and 25% of it" in told


def test_two_people_who_stand_apart(samples: Path) -> None:
    draw_person(samples, (10, 10, 100, 20), (10, 60, 100, 20))
    (told,) = fragments_named(samples)
    assert "consists of 2 fragments, and 50% of it" in told and "another person" in told


def test_what_touches_at_a_corner_is_one_piece(samples: Path) -> None:
    draw_person(samples, (10, 20, 6, 10), (16, 30, 6, 10))
    assert not fragments_named(samples)
    draw_person(samples, (10, 20, 6, 10), (16, 31, 6, 10))  # a column farther away
    (told,) = fragments_named(samples)
    assert "consists of 2 fragments, and 50% of it" in told


def test_a_small_piece_is_no_error(samples: Path) -> None:
    without_rows(samples, 0.04, 0.06)
    assert not look(samples).counts()["fragments"]


def test_without_a_label_map_nobody_knows_where_white_clothes_are(samples: Path) -> None:
    for part in ("apparel_head_foot", "body"):
        path = samples / FIRST / f"{part}.png"
        image = Image.open(path).convert("RGB")
        image.paste((255, 255, 255), (0, 80, 128, 130))
        image.save(path)
    (samples / FIRST / "parsing.png").unlink()
    assert not look(samples).counts()["fragments"]


def test_a_label_map_of_background_alone_has_no_pieces(samples: Path) -> None:
    without_rows(samples, 0, 1)
    report = look(samples)
    assert not report.counts()["fragments"]
    assert "mask" in {finding.check for finding in report.of_sample(FIRST)}


def implausible(samples: Path, **settings: Any) -> list[Finding]:
    """Return what is found in the skin of the first sample, whose label map may differ from the mask."""
    found = look(samples, label_difference=1, **settings).of_sample(FIRST)
    return [finding for finding in found if finding.check == "implausible skin"]


def test_clothes_called_skin(samples: Path) -> None:
    person = np.array(Image.open(samples / FIRST / "parsing.png")) > 0
    head = np.arange(256) < 70
    mask = person & ~head[:, None]
    save(samples / FIRST / "segmentation_skin.png", mask.astype(np.uint8) * 255)
    fraction = mask.sum() / person.sum()
    (finding,) = implausible(samples, trunk_skin=1, skin_difference=99)
    assert f"{fraction:.0%} of the person is segmentation_skin; it may include clothes" in finding.message
    assert finding.severity == pytest.approx(fraction / 0.45)
    assert implausible(samples, trunk_skin=1, skin_difference=99, skin_fraction=1) == []


def test_skin_over_the_trunk(samples: Path) -> None:
    pose = read_openpose_json(samples / FIRST / "keypoints.json")[0]
    corners = [pose.point(name)[:2] for name in ("RShoulder", "LShoulder", "LHip", "RHip")]
    path = samples / FIRST / "segmentation_skin.png"
    mask = image(path, "L")
    trunk = np.zeros_like(mask)
    cv2.fillPoly(trunk, [np.rint(corners).astype(np.int32)], color=255)
    save(path, np.maximum(mask, trunk))
    (finding,) = implausible(samples, skin_fraction=1, skin_difference=99)
    covered = re.search(
        r"segmentation_skin covers (\d+)% of the trunk, around x=(\d+), y=(\d+);", finding.message
    )
    assert covered is not None and int(covered[1]) > 45
    x, y = np.mean(corners, axis=0)
    assert abs(int(covered[2]) - x) < 8 and abs(int(covered[3]) - y) < 16
    assert implausible(samples, skin_fraction=1, skin_difference=99, trunk_skin=1) == []
    # without a pose nobody knows where the trunk is
    (samples / FIRST / "keypoints.json").unlink()
    assert implausible(samples, skin_fraction=1, skin_difference=99) == []


def test_skin_that_is_unlike_the_face(samples: Path) -> None:
    folder = samples / FIRST
    skin = image(folder / "segmentation_skin.png", "L") > 0
    classes = json.loads((folder / "sample.json").read_text(encoding="utf-8"))["classes"]
    face = np.array(Image.open(folder / "parsing.png")) == classes.index("face")
    body = image(folder / "body.png")
    body[skin] = 60, 90, 160
    save(folder / "body.png", body)
    off = np.median(rgb2lab(body)[face], axis=0) - np.median(rgb2lab(body)[skin], axis=0)
    difference = float(np.hypot(*off[1:]))
    (finding,) = implausible(samples)
    assert f"(a and b of CIE Lab differ by {difference:.0f}); it may mark clothes" in finding.message
    assert finding.severity == pytest.approx(difference / 20, rel=0.01)
    # without a label map the pose shows the face
    (folder / "parsing.png").unlink()
    (finding,) = implausible(samples)
    assert finding.severity == pytest.approx(difference / 20, rel=0.2)
    # in the shade, skin keeps its hue
    body[skin] = np.median(body[face], axis=0) * 0.8
    save(folder / "body.png", body)
    assert implausible(samples) == []


def test_a_palette_that_does_not_fit(samples: Path) -> None:
    path = samples / FIRST / "sample.json"
    record = json.loads(path.read_text())
    swap = {"face": "footwear", "footwear": "face"}
    record["classes"] = [swap.get(name, name) for name in record["classes"]]
    path.write_text(json.dumps(record))
    findings = [each for each in look(samples).findings if each.check == "labels"]
    assert "the head lies below the feet" in findings[0].message


def test_skin_of_label_map_and_mask_disagree(samples: Path) -> None:
    path = samples / FIRST / "parsing.png"
    labels = np.array(Image.open(path))
    classes = json.loads((samples / FIRST / "sample.json").read_text())["classes"]
    skin = labels == classes.index("skin")
    upper = skin & (np.arange(256) < np.median(np.nonzero(skin)[0]))[:, None]
    labels[upper] = classes.index("top")
    save(path, labels)
    finding = the_one(look(samples), "labels")
    iou = 1 - np.count_nonzero(upper) / np.count_nonzero(skin)
    assert f"IoU of only {iou:.2f}" in finding.message


def keep_out_of_the_mask(folder: Path, shown: Any) -> None:
    """Take what the input shows out of the inpainting mask, as prepare does."""
    mask = image(folder / "mask.png", "L")
    mask[shown] = 0
    save(folder / "mask.png", mask)


def reveal(samples: Path, colors: Any) -> int:
    """Keep the skin's lower half in the input, in these colors; return how many pixels that are."""
    folder = samples / FIRST
    skin = image(folder / "segmentation_skin.png", "L") > 0
    half = skin & (np.arange(256) > np.median(np.nonzero(skin)[0]))[:, None]
    apparel = image(folder / "apparel_head_foot.png", "RGBA")
    apparel[half, :3] = colors if isinstance(colors, tuple) else colors[half]
    apparel[half, 3] = 255
    save(folder / "apparel_head_foot.png", apparel)
    keep_out_of_the_mask(folder, half)
    return int(half.sum())


def test_skin_left_in_the_input(samples: Path) -> None:
    half = reveal(samples, image(samples / FIRST / "body.png"))
    finding = the_one(look(samples), "skin in the input")
    skin = np.count_nonzero(image(samples / FIRST / "segmentation_skin.png", "L"))
    assert f"skin in {half / skin:.1%} of segmentation_skin" in finding.message
    assert finding.severity == pytest.approx(half / skin / 0.01)


def test_the_old_sleeve_in_the_input(samples: Path) -> None:
    reveal(samples, (20, 60, 200))
    finding = the_one(look(samples, pair_fraction=1), "sleeve in the input")
    assert "shows clothes" in finding.message


def test_skin_at_the_edge_of_the_mask(samples: Path) -> None:
    """A mask that is drawn too small leaves a rim of skin in the input."""
    folder = samples / FIRST
    body = image(folder / "body.png")
    skin = image(folder / "segmentation_skin.png", "L") > 0
    thin = cv2.erode(skin.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    apparel = image(folder / "apparel_head_foot.png", "RGBA")
    rim = skin & ~thin
    apparel[rim] = np.dstack([body, np.full((256, 128), 255, np.uint8)])[rim]
    save(folder / "apparel_head_foot.png", apparel)
    save(folder / "segmentation_skin.png", thin.astype(np.uint8) * 255)
    keep_out_of_the_mask(folder, rim)
    finding = the_one(look(samples, label_difference=1), "skin in the input")
    assert "skin along the edge of segmentation_skin" in finding.message


def lose_limb(folder: Path) -> Any:
    """Take the largest patch of skin out of the mask; return where it was."""
    path = folder / "segmentation_skin.png"
    mask = image(path, "L")
    _, patches, sizes, _ = cv2.connectedComponentsWithStats((mask > 0).astype(np.uint8))
    limb = patches == 1 + int(np.argmax(sizes[1:, cv2.CC_STAT_AREA]))
    mask[limb] = 0
    save(path, mask)
    return limb


def test_skin_outside_the_mask(samples: Path) -> None:
    limb = lose_limb(samples / FIRST)
    finding = the_one(look(samples, label_difference=1), "skin outside the mask")
    rows, columns = np.nonzero(limb)
    x, y = (int(text.split("=")[1]) for text in finding.message.split("around ")[1].split(";")[0].split(", "))
    assert abs(x - np.median(columns)) <= 3 and abs(y - np.median(rows)) <= 3


def test_a_bare_joint_that_neither_mask_nor_input_knows(samples: Path) -> None:
    folder = samples / FIRST
    limb = lose_limb(folder)
    grown = cv2.dilate(limb.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    body = image(folder / "body.png")
    apparel = image(folder / "apparel_head_foot.png", "RGBA")
    shown = grown & (body.min(axis=2) < 255)
    apparel[shown] = np.dstack([body, np.full((256, 128), 255, np.uint8)])[shown]
    save(folder / "apparel_head_foot.png", apparel)
    report = look(samples, label_difference=1, joint_usual=0.6)
    told = [finding.message for finding in report.of_sample(FIRST) if "may miss a limb" in finding.message]
    assert told and all(re.search(r": at [RL](Elbow|Wrist|Knee) \(", message) for message in told)


def test_a_pose_beside_the_person(samples: Path) -> None:
    path = samples / FIRST / "keypoints.json"
    (pose,) = read_openpose_json(path)
    path.write_text(json.dumps(pose.mapped(1, 1, 70, 0).to_json()))
    finding = the_one(look(samples), "pose")
    assert finding.samples == (FIRST,) and "away from the person" in finding.message


def test_a_pose_of_another_scale_that_leaves_the_image(samples: Path) -> None:
    path = samples / FIRST / "keypoints.json"
    (pose,) = read_openpose_json(path)
    path.write_text(json.dumps(pose.mapped(3, 3, 0, 0).to_json()))
    assert the_one(look(samples), "pose").severity > 5


def test_a_drawn_pose_beside_the_person(samples: Path) -> None:
    (samples / FIRST / "keypoints.json").unlink()
    assert look(samples).findings == ()
    path = samples / FIRST / "line.png"
    save(path, np.roll(image(path), 64, axis=1))
    assert "pixels drawn in line" in the_one(look(samples), "pose").message


def test_a_pose_without_points(samples: Path) -> None:
    path = samples / FIRST / "keypoints.json"
    (pose,) = read_openpose_json(path)
    pose.points[:] = 0
    path.write_text(json.dumps(pose.to_json()))
    assert "no point" in the_one(look(samples), "pose").message


def test_near_duplicates_on_one_side(samples: Path) -> None:
    shutil.copytree(samples / FIRST, samples / "copy")
    body = Image.open(samples / "copy" / "body.png")
    body.save(samples / "copy" / "body.jpg", quality=80)
    (samples / "copy" / "body.png").unlink()
    (samples / "copy" / "sample.json").unlink()
    report = look(samples, test_fraction=1e-9, validation_fraction=0)
    finding = the_one(report, "near duplicates")
    assert set(finding.samples) == {FIRST, "copy"}
    assert report.flagged == tuple(sorted(finding.samples))


def test_near_duplicates_across_the_split(samples: Path) -> None:
    places = sorted((position(name), name) for name in ("copy", FIRST))
    shutil.copytree(samples / FIRST, samples / "copy")
    (samples / "copy" / "sample.json").unlink()
    between = (places[0][0] + places[1][0]) / 2
    finding = the_one(look(samples, test_fraction=between, validation_fraction=0), "split")
    assert set(finding.samples) == {FIRST, "copy"}
    sides = {places[0][1]: "test", places[1][1]: "training"}
    assert all(f"{name} ({side})" in finding.message for name, side in sides.items())


def test_one_person_across_the_split(samples: Path) -> None:
    """Photos of one id in folders that do not say so: the split cannot keep them together."""
    (samples / FIRST).rename(samples / "anna")
    (samples / SECOND).rename(samples / "berta")
    path = samples / "berta" / "sample.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "source": "id_00000000/02_1_side.jpg"}))
    between = (position("anna") + position("berta")) / 2
    finding = the_one(look(samples, test_fraction=between, validation_fraction=0), "split")
    assert finding.samples == ("anna", "berta")
    assert "id_00000000" in finding.message and "1 in test" in finding.message
    base, names = find_samples(samples)
    together = examine(
        base, names, DoctorConfig(test_fraction=between, validation_fraction=0), lambda name: "all"
    )
    assert together.findings == ()


@pytest.mark.parametrize("part", ["line", "mask"])
def test_sizes_that_differ(samples: Path, part: str) -> None:
    path = samples / FIRST / f"{part}.png"
    Image.open(path).resize((64, 128)).save(path)
    assert f"{part} is 128x64, but apparel_head_foot is 256x128" in the_one(look(samples), "size").message


def test_tiny_images(samples: Path) -> None:
    report = look(samples, min_side=160)
    assert {finding.check for finding in report.findings} == {"size"} and len(report.flagged) == 4
    assert report.findings[0].severity == pytest.approx(160 / 128)


@pytest.mark.parametrize(
    "file",
    [
        *("body.png", "apparel_head_foot.png", "line.png", "mask.png"),
        *("keypoints.json", "parsing.png", "sample.json"),
    ],
)
def test_a_truncated_file(samples: Path, file: str) -> None:
    path = samples / FIRST / file
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    finding = the_one(look(samples), "unreadable")
    assert str(path) in finding.message and finding.severity == 100


def test_a_damaged_record_stops_nothing_though_the_split_goes_by_records(
    samples: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (samples / FIRST / "sample.json").write_text("{")
    base, names = find_samples(samples)

    def group(name: str) -> str:
        return str((read_record(base / name) or {}).get("group", name))

    assert the_one(examine(base, names, DoctorConfig(num_workers=1), group), "unreadable")
    (warning,) = caplog.messages
    assert warning.startswith(f"the split is not checked, as it depends on all records: {samples / FIRST}")


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (["body.png"], "body is missing"),
        (["segmentation_skin.png"], "segmentation_skin is missing"),
        (["mask.png"], "mask is missing"),
        (["line.png", "keypoints.json"], "line or keypoints.json is missing"),
    ],
)
def test_a_missing_part(samples: Path, files: list[str], told: str) -> None:
    for file in files:
        (samples / FIRST / file).unlink()
    assert told in the_one(look(samples), "unreadable").message


@pytest.mark.parametrize("part", ["segmentation_skin", "mask"])
def test_a_part_that_no_sample_brings_is_not_missed(samples: Path, part: str) -> None:
    for mask in samples.rglob(f"{part}.png"):
        mask.unlink()
    assert look(samples).findings == ()


def test_worst_first() -> None:
    some = [
        Finding("pose", ("b",), 2, ""),
        Finding("mask", ("a",), 2, ""),
        Finding("near duplicates", ("c", "a"), 9, ""),
    ]
    report = DoctorReport(5, worst_first(some))
    assert [finding.check for finding in report.findings] == ["near duplicates", "mask", "pose"]
    assert report.flagged == ("c", "a", "b")
    assert [finding.check for finding in report.of_sample("a")] == ["near duplicates", "mask"]
    assert report.to_json()["checks"]["near duplicates"] == 2


def test_severity_is_how_often_the_measure_is_over() -> None:
    assert severity_of(0.3, 0.1) == pytest.approx(3)
    assert severity_of(5000, 1) == 100 == severity_of(1, 0)


def test_processes_find_the_same(samples: Path) -> None:
    for index in range(32):
        shutil.copytree(samples / FIRST, samples / f"copy-{index}")
    lose_limb(samples / FIRST)
    assert look(samples, num_workers=2) == look(samples, num_workers=1)
