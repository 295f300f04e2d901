from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skinfw.components.field_names import (
    APPAREL,
    BODY,
    FACE,
    HEATMAPS,
    KEEP,
    KEYPOINTS,
    LINE,
    MASK,
    SKIN,
    LineStyle,
)
from skinfw.data.cutout_file import read_cutout
from skinfw.data.keypoints import Keypoints
from skinfw.data.label_file import read_labels, sample_palette
from skinfw.data.mask_file import read_mask
from skinfw.data.pose_types import PoseMapType
from skinfw.data.sample import Sample
from skinfw.data.sample_folder import FolderParts, read_record, read_sample
from skinfw.data.skeleton import draw_resized_pose
from skinfw.errors import DataError
from skinfw.testing import example_dataset_io
from skinfw_plugins.datasets.mannequin import CLASSES, draw_person

SampleWriter = Callable[..., Path]
SIZE = (64, 48)


def read(
    folder: Path,
    *inputs: str,
    size: tuple[int, int] = SIZE,
    needs_target: bool = True,
    needs_keypoints: bool = False,
    mask_margin: int = 0,
) -> Sample:
    """Read a sample at the size of its files, unless another one is given."""
    io = example_dataset_io(size, inputs, needs_keypoints=needs_keypoints, mask_margin=mask_margin)
    return read_sample(folder, folder.name, io, needs_target=needs_target)


def relabel(folder: Path, classes: list[str]) -> None:
    labels = draw_person(0, SIZE).labels
    image = Image.fromarray(labels)
    image.putpalette(sample_palette().tobytes())
    image.save(folder / "parsing.png")
    (folder / "sample.json").write_text(json.dumps({"classes": classes}))


def test_all_inputs(tmp_path: Path, write_sample: SampleWriter) -> None:
    folder = write_sample(tmp_path / "anna")
    sample = read(folder, APPAREL, LINE, SKIN, FACE)
    drawing = draw_person(0, SIZE)
    person = drawing.labels != CLASSES.index("background")
    assert set(sample.fields) == {APPAREL, BODY, KEEP, MASK, LINE, SKIN, FACE}
    assert sample.name == "anna" and sample.source_size == SIZE
    assert np.array_equal(sample[BODY][person], drawing.image[person])
    assert (sample[BODY][~person] == 255).all()
    assert np.array_equal(sample[SKIN], drawing.labels == CLASSES.index("skin"))
    assert sample[LINE].any() and sample[FACE].any()
    assert not (sample[FACE] & ~sample[KEEP]).any()


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg"])
def test_the_reports_jpeg_folders(tmp_path: Path, write_sample: SampleWriter, suffix: str) -> None:
    exact = read(write_sample(tmp_path / "png"), APPAREL, SKIN)
    found = read(write_sample(tmp_path / "jpg", suffix=suffix), APPAREL, SKIN)
    # compression shifts edges: nearly all pixels agree
    assert (found[KEEP] == exact[KEEP]).mean() > 0.93
    assert (found[SKIN] == exact[SKIN]).mean() > 0.99
    # what counts as erased is nearly white, and stays as it was read
    erased = found[APPAREL][~found[KEEP]]
    assert erased.min() >= 239 and (erased < 255).any()


@pytest.mark.parametrize("size", [SIZE, (32, 24), (50, 41)])
def test_white_clothes_without_alpha_keep_their_color(tmp_path: Path, size: tuple[int, int]) -> None:
    pixels = np.full((*SIZE, 3), 255, np.uint8)
    pixels[10:30, 10:30] = 248, 250, 245
    pixels[30:50, 10:30] = 20, 30, 40
    for part in (APPAREL, BODY):
        Image.fromarray(pixels).save(tmp_path / f"{part}.png")
    sample = read(tmp_path, APPAREL, size=size)
    row, column = 20 * size[0] // 64, 20 * size[1] // 48
    assert not sample[KEEP][row, column]
    for image in (sample[APPAREL], sample[BODY]):
        assert tuple(image[row, column]) == (248, 250, 245)


@pytest.mark.parametrize("size", [SIZE, (40, 33), (23, 17), (96, 80)])
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_target_and_input_agree_where_something_is_kept(
    tmp_path: Path, write_sample: SampleWriter, size: tuple[int, int], suffix: str
) -> None:
    sample = read(write_sample(tmp_path / "anna", suffix=suffix), APPAREL, size=size)
    difference = np.abs(sample[APPAREL].astype(int) - sample[BODY])[sample[KEEP]]
    if suffix == ".png":
        assert difference.max() == 0
    else:
        # the two files were compressed on their own
        assert difference.mean() < 5


def test_resized(tmp_path: Path, write_sample: SampleWriter) -> None:
    folder = write_sample(tmp_path / "anna", size=(96, 64))
    sample = read(folder, SKIN, LINE, APPAREL, size=(40, 33))
    assert sample.source_size == (96, 64)
    for name in (APPAREL, BODY, LINE):
        assert (sample[name].shape, sample[name].dtype) == ((40, 33, 3), np.uint8)
    for name in (KEEP, MASK, SKIN):
        assert (sample[name].shape, sample[name].dtype) == ((40, 33), np.bool_) and sample[name].any()
    assert (sample[APPAREL][~sample[KEEP]] == 255).all()


def test_alpha_tells_white_clothes_from_nothing(tmp_path: Path) -> None:
    pixels = np.full((4, 6, 4), 255, np.uint8)
    pixels[:, 3:, 3] = 0
    pixels[0, 5, :3] = 7
    Image.fromarray(pixels).save(tmp_path / "a.png")
    image, kept = read_cutout(tmp_path / "a.png")
    assert kept[:, :3].all() and not kept[:, 3:].any()
    assert (image == 255).all()
    Image.fromarray(pixels[..., :3]).save(tmp_path / "b.png")
    assert read_cutout(tmp_path / "b.png")[1].sum() == 1


def test_nearly_white_is_erased_without_alpha(tmp_path: Path) -> None:
    values = np.array([[[255, 255, 255], [240, 250, 255], [239, 239, 239], [238, 255, 255]]], np.uint8)
    Image.fromarray(values).save(tmp_path / "a.png")
    assert read_cutout(tmp_path / "a.png")[1].tolist() == [[False, False, False, True]]


def test_without_skin(tmp_path: Path, write_sample: SampleWriter) -> None:
    folder = write_sample(tmp_path / "anna")
    (folder / "segmentation_skin.png").unlink()
    blank = read(folder, APPAREL)[SKIN]
    assert (blank.shape, blank.dtype) == (SIZE, np.bool_) and not blank.any()
    with pytest.raises(DataError, match="anna: segmentation_skin is missing"):
        read(folder, SKIN)


@pytest.mark.parametrize("part", [APPAREL, BODY])
def test_a_missing_image_is_named(tmp_path: Path, write_sample: SampleWriter, part: str) -> None:
    folder = write_sample(tmp_path / "anna")
    (folder / f"{part}.png").unlink()
    with pytest.raises(DataError, match=rf"anna: {part} is missing \(looked for {part}\.png"):
        read(folder, APPAREL)


def test_a_body_that_is_not_needed_is_not_read(tmp_path: Path, write_sample: SampleWriter) -> None:
    folder = write_sample(tmp_path / "anna")
    (folder / "body.png").write_bytes(b"no image")
    sample = read(folder, APPAREL, needs_target=False)
    assert np.array_equal(sample[BODY], sample[APPAREL])


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="bob: no such sample folder"):
        read(tmp_path / "bob", APPAREL)


@pytest.mark.parametrize("part", [SKIN, MASK, BODY, LINE])
def test_an_image_of_another_size_is_named(tmp_path: Path, write_sample: SampleWriter, part: str) -> None:
    folder = write_sample(tmp_path / "anna")
    Image.new("RGB", (48, 60)).save(folder / f"{part}.png")
    with pytest.raises(DataError, match=rf"{part}\.png: 60x48 pixels .* has 64x48"):
        read(folder, APPAREL, LINE, SKIN)


def test_a_corrupt_image_is_named(tmp_path: Path, write_sample: SampleWriter) -> None:
    folder = write_sample(tmp_path / "anna")
    (folder / "body.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"anna/body\.png"):
        read(folder, APPAREL)


def test_skin_that_is_kept_too_may_still_be_painted(tmp_path: Path) -> None:
    pixels = np.full((12, 16, 4), 90, np.uint8)
    pixels[..., 3] = 0
    pixels[3:9, 2:12, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "apparel_head_foot.png")
    skin = np.zeros((12, 16), bool)
    skin[4:8, 10:13] = True
    Image.fromarray(skin).save(tmp_path / "segmentation_skin.png")
    mask = read(tmp_path, size=(12, 16), needs_target=False, mask_margin=1)[MASK]
    # the skin as a whole, and around it a pixel up, down and to the right; clothes are on its left
    expected = skin.copy()
    expected[3, 12] = expected[8, 12] = True
    expected[4:8, 13] = True
    assert np.array_equal(mask, expected)


def test_a_mask_of_its_own_is_resized_with_what_is_kept(tmp_path: Path, write_sample: SampleWriter) -> None:
    folder = write_sample(tmp_path / "anna", size=(96, 64))
    keep = read(folder, size=(96, 64))[KEEP]
    person = draw_person(0, (96, 64)).labels != CLASSES.index("background")
    Image.fromarray(person & ~keep).save(folder / "mask.png")
    exact = read(folder, size=(96, 64))
    assert np.array_equal(exact[MASK], person & ~keep) and not np.array_equal(exact[MASK], exact[SKIN])
    small = read(folder, size=(40, 33))
    assert small[MASK].any() and not (small[MASK] & small[KEEP]).any()


def test_files_and_images_of_ones_own(tmp_path: Path, write_sample: SampleWriter) -> None:
    folder = write_sample(tmp_path / "anna")
    pixels = np.full((*SIZE, 4), 7, np.uint8)
    pixels[:, :20, 3], pixels[:, 20:, 3] = 255, 0
    Image.fromarray(pixels).save(folder / "depth.png")
    (folder / "notes.txt").write_text("mine")
    parts = FolderParts(folder)
    white, black = parts.image("depth"), parts.image("depth", background=0)
    assert white is not None and (white[:, :20] == 7).all() and (white[:, 20:] == 255).all()
    assert black is not None and (black[:, :20] == 7).all() and not black[:, 20:].any()
    assert parts.file("notes.txt") == folder / "notes.txt"
    assert parts.image("normals") is None and parts.mask("normals") is None
    assert parts.file("normals.npy") is None
    (folder / "more").mkdir()
    (folder / "more" / "notes.txt").write_text("")
    with pytest.raises(DataError, match=r"'more/notes\.txt' is in a subfolder"):
        parts.file("more/notes.txt")


def test_a_mask_must_be_black_and_white(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "segmentation_skin.png"
    Image.fromarray(rng.integers(0, 256, (30, 30, 3), np.uint8)).save(path)
    with pytest.raises(DataError, match=r"segmentation_skin\.png: the pixel x=0, y=0 has the color"):
        read_mask(path)
    # skin in color on white, as some tools write it, is no mask either
    colored = np.full((30, 30, 3), 255, np.uint8)
    colored[5:25, 5:25] = 224, 172, 140
    Image.fromarray(colored).save(path)
    with pytest.raises(DataError, match="the pixel x=5, y=5 has the color 224,172,140"):
        read_mask(path)


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "RGBA"])
def test_masks_of_every_mode(tmp_path: Path, mode: str) -> None:
    mask = np.zeros((8, 10), bool)
    mask[2:5, 3:8] = True
    Image.fromarray(mask).convert(mode).save(tmp_path / "a.png")
    assert np.array_equal(read_mask(tmp_path / "a.png"), mask)


def test_line_is_drawn_from_keypoints_or_read(tmp_path: Path, write_sample: SampleWriter) -> None:
    folder = write_sample(tmp_path / "anna")
    assert read(folder, LINE)[LINE].any()
    Image.new("RGB", (48, 64), (1, 2, 3)).save(folder / "line.png")
    assert (read(folder, LINE)[LINE] == (1, 2, 3)).all()
    (folder / "line.png").unlink()
    (folder / "keypoints.json").unlink()
    with pytest.raises(DataError, match=r"anna: line and keypoints\.json are both missing"):
        read(folder, LINE)


def test_face_comes_from_the_label_map_first(tmp_path: Path, write_sample: SampleWriter) -> None:
    folder = write_sample(tmp_path / "anna")
    relabel(folder, list(CLASSES))
    sample = read(folder, FACE)
    expected = (draw_person(0, SIZE).labels == CLASSES.index("face")) & sample[KEEP]
    assert np.array_equal(sample[FACE], expected)


def test_face_from_keypoints_where_no_class_is_one(tmp_path: Path, write_sample: SampleWriter) -> None:
    folder = write_sample(tmp_path / "anna")
    plain = read(folder, FACE)[FACE]
    relabel(folder, ["other" + name for name in CLASSES])
    assert plain.any() and np.array_equal(read(folder, FACE)[FACE], plain)


def test_face_that_nothing_tells(tmp_path: Path, write_sample: SampleWriter) -> None:
    folder = write_sample(tmp_path / "anna")
    (folder / "keypoints.json").write_text('{"people": []}')
    with pytest.raises(DataError, match="anna: the face cannot be located"):
        read(folder, FACE)


def test_label_map_must_hold_indices(tmp_path: Path) -> None:
    Image.new("RGB", (3, 3)).save(tmp_path / "parsing.png")
    with pytest.raises(DataError, match=r"parsing\.png: contains colors, not class codes"):
        read_labels(tmp_path / "parsing.png")


@pytest.mark.parametrize("text", ["{", "[1]", "\xff"])
def test_a_broken_record_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "sample.json").write_text(text, encoding="latin-1")
    with pytest.raises(DataError, match=r"sample\.json: .*prepare the sample again"):
        read_record(tmp_path)


def test_a_record_that_is_no_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "sample.json")
    with pytest.raises(DataError, match=r"sample\.json: cannot be read: .*a FIFO"):
        read_record(tmp_path)


def test_a_label_map_that_does_not_fit_its_record(tmp_path: Path, write_sample: SampleWriter) -> None:
    folder = write_sample(tmp_path / "anna")
    relabel(folder, ["background", "face"])
    with pytest.raises(DataError, match=r"parsing\.png: does not match sample\.json: label \d+ has no class"):
        read(folder, FACE)


def test_keypoints_are_read_where_they_are_needed(tmp_path: Path, write_sample: SampleWriter) -> None:
    folder = write_sample(tmp_path / "anna", size=(96, 64))
    assert KEYPOINTS not in read(folder, LINE)
    found = read(folder, LINE, size=(48, 32), needs_keypoints=True)[KEYPOINTS]
    drawn = draw_person(0, (96, 64)).points
    seen = drawn[:, 2] > 0
    # half the size: pixel centers 0 and 1 become one at 0.25 of the old distance less a quarter
    assert np.allclose(found.points[seen, :2], drawn[seen, :2] / 2 - 0.25, atol=1e-3)
    assert np.array_equal(found.points[:, 2], drawn[:, 2])


@pytest.mark.parametrize("text", [None, '{"people": []}'])
def test_missing_keypoints_that_are_needed(
    tmp_path: Path, write_sample: SampleWriter, text: str | None
) -> None:
    folder = write_sample(tmp_path / "anna")
    path = folder / "keypoints.json"
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    for inputs, needs, why in (
        ([APPAREL], True, "augmentations that move pixels"),
        ([APPAREL, HEATMAPS], False, "heat maps"),
    ):
        with pytest.raises(DataError, match=rf"anna: keypoints\.json is missing or empty; {why}"):
            read(folder, *inputs, needs_keypoints=needs)


def test_heatmaps_are_drawn_at_the_samples_size(tmp_path: Path, write_sample: SampleWriter) -> None:
    folder = write_sample(tmp_path / "anna")
    maps = read(folder, APPAREL, HEATMAPS, size=(48, 32))[HEATMAPS]
    keypoints = Keypoints(draw_person(0, SIZE).points).resized(SIZE, (48, 32))
    assert (maps.shape, maps.dtype) == ((48, 32, 25), np.uint8)
    for index in np.flatnonzero(keypoints.found()):
        x, y = keypoints.points[index, :2]
        row, column = np.unravel_index(maps[..., index].argmax(), (48, 32))
        assert abs(row - y) <= 0.51 and abs(column - x) <= 0.51
    assert not maps[..., ~keypoints.found()].any()


@pytest.mark.parametrize(
    ("record", "style"),
    [
        ({"made_with": {"pose_encoder": {"type": "openpose", "draw": "lines"}}}, "lines"),
        ({"made_with": {"pose_encoder": {"type": "openpose", "draw": "skeleton"}}}, "skeleton"),
        ({"made_with": {"pose_encoder": "openpose"}}, "skeleton"),
        ({"made_with": None}, "skeleton"),
        (None, "skeleton"),
    ],
)
def test_the_record_tells_how_the_pose_is_drawn(
    tmp_path: Path, write_sample: SampleWriter, record: dict[str, object] | None, style: LineStyle
) -> None:
    folder = write_sample(tmp_path / "anna")
    if record is not None:
        (folder / "sample.json").write_text(json.dumps(record))
    sample = read(folder, LINE)
    keypoints = Keypoints(draw_person(0, SIZE).points)
    assert sample.fields[LINE].type == PoseMapType(style)
    assert np.abs(sample[LINE].astype(int) - draw_resized_pose(keypoints, SIZE, style)).max() <= 1


@pytest.mark.parametrize("orientation", [2, 3, 4])
def test_a_part_that_is_turned_on_its_own(
    tmp_path: Path, write_sample: SampleWriter, orientation: int
) -> None:
    folder = write_sample(tmp_path / "anna")
    exif = Image.Exif()
    exif[0x0112] = orientation
    for part in ("body", "segmentation_skin"):
        path = folder / f"{part}.png"
        before = path.read_bytes()
        Image.open(path).save(path, exif=exif)
        with pytest.raises(DataError, match=rf"{part}\.png: its EXIF orientation is {orientation}, that of"):
            read(folder, SKIN)
        path.write_bytes(before)


def test_two_files_of_one_part(tmp_path: Path, write_sample: SampleWriter) -> None:
    folder = write_sample(tmp_path / "anna")
    Image.open(folder / "body.png").convert("RGB").save(folder / "body.JPG", "JPEG")
    with pytest.raises(DataError, match=r"anna: contains body\.JPG and body\.png; keep only one"):
        read(folder, APPAREL)
    (folder / "body.png").unlink()
    read(folder, APPAREL)


@pytest.mark.parametrize("part", [SKIN, MASK])
def test_an_inverted_mask_is_rejected(tmp_path: Path, write_sample: SampleWriter, part: str) -> None:
    folder = write_sample(tmp_path / "anna")
    skin = np.array(Image.open(folder / "segmentation_skin.png").convert("L"))
    Image.fromarray(~skin).save(folder / f"{part}.png")
    with pytest.raises(DataError, match=rf"{part}\.png: covers 100% of what apparel_head_foot keeps"):
        read(folder, SKIN)
