from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from drawn_photos import write_drawn_photo
from icc import DISPLAY_P3, rgb_profile
from PIL import ExifTags, Image
from PIL.ExifTags import GPS, IFD, Base

import skinfw
from skinfw.data.photo import Photo
from skinfw.data.segmentation import Segmentation
from skinfw.errors import DataError, RunError, TrustError, UserError
from skinfw.export.export import export_run
from skinfw.inference import inpainter as inpainting
from skinfw.inference.beside import PoseBeside
from skinfw.inference.condition import make_condition
from skinfw.inference.inpainter import Inpainter
from skinfw.inference.painted import SOURCE_TYPE
from skinfw.runs.folder import open_run

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"

SaveMask = Callable[..., Path]


def rgb(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def test_it_paints_the_mask_and_keeps_everything_else(
    inpainter: Inpainter, photo: Path, arms: np.ndarray, save_mask: SaveMask
) -> None:
    painted = inpainter.paint(photo, save_mask(arms))
    assert np.array_equal(painted.mask, arms)
    assert np.array_equal(painted.image[~arms], rgb(photo)[~arms])
    assert (painted.image[arms] != rgb(photo)[arms]).any(axis=1).mean() > 0.5
    assert painted.report["painted"] == arms.sum()
    assert painted.report["mask"] == "given"
    assert painted.report["size"] == [192, 128]
    assert painted._repr_png_().startswith(b"\x89PNG")


def test_old_clothes_under_the_mask_do_not_matter(
    inpainter: Inpainter, photo: Path, arms: np.ndarray
) -> None:
    first = inpainter.paint(photo, arms).image
    pixels = rgb(photo).copy()
    pixels[arms] = (0, 255, 0)
    Image.fromarray(pixels).save(photo)
    assert np.array_equal(inpainter.paint(photo, arms).image, first)


@pytest.mark.parametrize("kind", ["pillow", "array", "text"])
def test_photos_and_masks_may_be_in_memory(
    inpainter: Inpainter, photo: Path, arms: np.ndarray, kind: str
) -> None:
    opened = skinfw.Inpainter
    assert opened is Inpainter
    expected = inpainter.paint(photo, arms).image
    labels = inpainter.segmenter.segment(_read(photo))
    pose = inpainter.pose_encoder.keypoints(_read(photo), labels.person)
    given: Any = {"pillow": Image.open(photo), "array": rgb(photo), "text": str(photo)}[kind]
    mask: Any = arms if kind == "array" else Image.fromarray(arms.astype(np.uint8) * 255)
    painted = inpainter.paint(given, mask, segmentation=labels, keypoints=pose)
    assert np.array_equal(painted.image, expected)


def _read(path: Path) -> Any:
    from skinfw.data.photo import Photo

    return Photo.read(path)


@pytest.mark.parametrize("size", [(64, 64), (65, 97), (300, 200), (640, 480)])
def test_photos_of_any_size_and_shape(inpainter: Inpainter, tmp_path: Path, size: tuple[int, int]) -> None:
    path = write_drawn_photo(tmp_path / "p.png", 2, size)
    mask = inpainter.segmenter.segment(_read(path)).region("skin")
    painted = inpainter.paint(path, mask)
    assert painted.image.shape == (*size, 3)
    assert np.array_equal(painted.image[~mask], rgb(path)[~mask])
    top, left, height, width = painted.report["box"]
    assert height / width == pytest.approx(2, rel=0.1)  # the aspect of training: nobody is squashed
    assert top <= np.flatnonzero(mask.any(axis=1))[0]
    assert left <= np.flatnonzero(mask.any(axis=0))[0]


def test_too_small_and_too_large_photos_are_errors(inpainter: Inpainter, tmp_path: Path) -> None:
    path = write_drawn_photo(tmp_path / "p.png", 2, (63, 64))
    with pytest.raises(DataError, match=r"p\.png: 63x64 pixels .* 64 to 10,000"):
        inpainter.paint(path, np.ones((63, 64), bool))
    with pytest.raises(DataError, match="64 to 10,000"):
        inpainter.paint(np.zeros((64, 10_001, 3), np.uint8), np.ones((64, 10_001), bool))


def test_a_photo_that_lies_on_its_side_is_painted_upright(
    inpainter: Inpainter, photo: Path, arms: np.ndarray, tmp_path: Path
) -> None:
    upright = Image.open(photo)
    turned = tmp_path / "turned" / "anna.png"
    turned.parent.mkdir()
    for name in ("anna_segment.png", "anna_keypoints.json"):
        shutil.copy(photo.with_name(name), turned.with_name(name))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # shown turned clockwise
    upright.transpose(Image.Transpose.ROTATE_90).save(turned, exif=exif)
    painted = inpainter.paint(turned, arms)
    assert np.array_equal(painted.image, inpainter.paint(photo, arms).image)
    saved = painted.save(tmp_path / "out.png")
    assert Image.open(saved).getexif().get(ExifTags.Base.Orientation, 1) == 1
    assert np.array_equal(rgb(saved), painted.image)
    with pytest.raises(DataError, match="belongs to the photo as stored"):
        inpainter.paint(turned, arms.T)


def test_the_icc_profile_and_the_pixels_in_it_are_kept(
    inpainter: Inpainter, photo: Path, arms: np.ndarray, tmp_path: Path
) -> None:
    profile = rgb_profile(DISPLAY_P3, 2.2)
    pixels = rgb(photo)
    Image.fromarray(pixels).save(photo, icc_profile=profile)
    painted = inpainter.paint(photo, arms)
    assert np.array_equal(painted.image[~arms], pixels[~arms])
    for name in ("out.png", "out.webp"):
        saved = Image.open(painted.save(tmp_path / name))
        assert saved.info["icc_profile"] == profile
        assert np.array_equal(np.asarray(saved.convert("RGB"))[~arms], pixels[~arms])


def with_thumbnail(exif: Image.Exif) -> bytes:
    """Return EXIF data with a second directory, that of the thumbnail, whose description is OLD."""
    head, data = exif.tobytes()[:6], bytearray(exif.tobytes()[6:])
    following = 10 + 12 * int.from_bytes(data[8:10], "big")
    data[following : following + 4] = len(data).to_bytes(4, "big")
    entry = Base.ImageDescription.to_bytes(2, "big") + b"\0\x02\0\0\0\x04OLD\0"
    return head + bytes(data) + b"\0\x01" + entry + b"\0\0\0\0"


@pytest.mark.parametrize("ending", ["png", "jpg", "webp"])
def test_what_the_camera_says_is_kept_and_nothing_that_shows_the_old_photo(
    inpainter: Inpainter, photo: Path, arms: np.ndarray, tmp_path: Path, ending: str
) -> None:
    exif = Image.Exif()
    exif.update({Base.Orientation: 6, Base.Make: "Camera", Base.Artist: "Zoë".encode(), Base.Software: "OLD"})
    exposure = {Base.FNumber: 2.8, Base.ISOSpeedRatings: 100, Base.DateTimeOriginal: "2026:05:01 10:00:00"}
    hidden = {Base.MakerNote: b"OLD" * 9, Base.BodySerialNumber: "OLD", Base.UserComment: b"OLD"}
    exif.get_ifd(IFD.Exif).update({**exposure, **hidden})
    exif.get_ifd(IFD.GPSInfo)[GPS.GPSAreaInformation] = b"OLD"
    Image.open(photo).transpose(Image.Transpose.ROTATE_90).save(photo, exif=with_thumbnail(exif))
    assert photo.read_bytes().count(b"OLD") == 14
    saved = inpainter.paint(photo, arms).save(tmp_path / f"out.{ending}")
    assert b"OLD" not in saved.read_bytes()
    image = Image.open(saved)
    assert image.size == (128, 192)
    found = image.getexif()
    assert {tag for tag in found if tag != IFD.Exif} == {Base.Make, Base.Artist}
    assert (found[Base.Make], found[Base.Artist].encode("latin-1").decode()) == ("Camera", "Zoë")
    assert found.get_ifd(IFD.Exif) == exposure
    assert not found.get_ifd(IFD.GPSInfo) and not found.get_ifd(IFD.IFD1)


@pytest.mark.parametrize(
    "exif",
    [
        b"II*\0\x08\0\0\0",  # it ends before its first directory
        b"II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x0f\x27\0\0\0\0\0\0",  # exposure beyond its end
        b"II*\0\x08\0\0\0" + b"\xff" * 60,
    ],
)
def test_damaged_exif_data_are_left_out(
    inpainter: Inpainter, photo: Path, arms: np.ndarray, tmp_path: Path, exif: bytes
) -> None:
    Image.open(photo).save(photo, exif=b"Exif\0\0" + exif)
    saved = inpainter.paint(photo, arms).save(tmp_path / "out.jpg")
    assert "exif" not in Image.open(saved).info


def test_alpha_is_kept_and_painted_holes_become_opaque(
    inpainter: Inpainter, photo: Path, arms: np.ndarray, tmp_path: Path
) -> None:
    alpha = np.full(arms.shape, 255, np.uint8)
    alpha[:8, :8] = 77
    alpha[arms] = 0
    Image.fromarray(np.dstack([rgb(photo), alpha])).save(photo)
    painted = inpainter.paint(photo, arms)
    assert painted.alpha is not None
    assert (painted.alpha[arms] == 255).all()
    assert np.array_equal(painted.alpha[~arms], alpha[~arms])
    saved = np.asarray(Image.open(painted.save(tmp_path / "out.webp")))
    assert saved.shape[2] == 4
    assert np.array_equal(saved[~arms][:, :3], np.asarray(Image.open(photo))[~arms][:, :3])
    assert Image.open(painted.save(tmp_path / "out.jpg")).mode == "RGB"


@pytest.mark.parametrize("name", ["out.png", "out.jpg", "out.jpeg", "out.webp"])
def test_written_files_say_that_parts_are_generated(
    inpainter: Inpainter, photo: Path, arms: np.ndarray, tmp_path: Path, name: str
) -> None:
    saved = inpainter.paint(photo, arms).save(tmp_path / name)
    image = Image.open(saved)
    data = image.info.get("xmp") or image.info["XML:com.adobe.xmp"].encode()
    (said,) = ElementTree.fromstring(data).iter(f"{RDF}Description")
    assert said.get(f"{IPTC}DigitalSourceType") == SOURCE_TYPE
    near = np.abs(rgb(saved).astype(int) - rgb(photo))[~arms]
    assert near.max() == 0 if image.format != "JPEG" else near.mean() < 6


def test_an_unknown_ending_is_an_error(inpainter: Inpainter, photo: Path, arms: np.ndarray) -> None:
    with pytest.raises(skinfw.SkinfwError, match=r"out\.gif: unknown ending '\.gif'; write \.png"):
        inpainter.paint(photo, arms).save("out.gif")


def test_gray_photos_become_color_and_16_bits_are_said_to_be_converted(
    inpainter: Inpainter, photo: Path, arms: np.ndarray
) -> None:
    gray = np.asarray(Image.open(photo).convert("L"))
    Image.fromarray(gray).save(photo)
    painted = inpainter.paint(photo, arms)
    assert np.array_equal(painted.image[~arms], gray[..., None].repeat(3, axis=2)[~arms])
    Image.fromarray(gray.astype(np.uint16) * 257).save(photo)
    assert any("8-bit sRGB" in warning for warning in inpainter.paint(photo, arms).report["warnings"])


def test_an_uncertain_tone_is_said(inpainter: Inpainter, photo: Path, arms: np.ndarray) -> None:
    def warned(mask: np.ndarray, segmentation: Segmentation) -> bool:
        painted = inpainter.paint(photo, mask, segmentation=segmentation)
        return any("tone of the painted skin is uncertain" in each for each in painted.report["warnings"])

    labels = inpainter.segmenter.segment(Photo.read(photo))
    assert warned(arms, labels)  # all skin but the face is painted
    much = labels.labels.copy()
    much[:64, :64] = labels.classes.index(labels.regions["skin"][0])
    assert not warned(arms, replace(labels, labels=much))


def hole_in(photo: Path, mask: np.ndarray, transparent: bool) -> None:
    pixels = np.minimum(rgb(photo), 250)
    if transparent:
        layers = np.dstack([pixels, np.where(mask, 0, 255).astype(np.uint8)])
        Image.fromarray(layers).save(photo)
    else:
        Image.fromarray(np.where(mask[..., None], np.uint8(255), pixels)).save(photo)


def inner(mask: np.ndarray) -> np.ndarray:
    from scipy.ndimage import binary_erosion

    found = np.zeros_like(mask)
    found[3:-3, 3:-3] = binary_erosion(mask)[3:-3, 3:-3]
    return found


@pytest.mark.parametrize("transparent", [True, False])
def test_holes_on_the_limbs_are_found(
    inpainter: Inpainter, photo: Path, arms: np.ndarray, transparent: bool
) -> None:
    hole = inner(arms)
    hole_in(photo, hole, transparent)
    painted = inpainter.paint(photo)
    assert painted.report["mask"] == "found"
    assert painted.mask.sum() > 0.8 * hole.sum()
    assert not (painted.mask & ~hole).any()


def test_holes_on_the_trunk_are_left_and_a_mask_there_is_warned_of(
    inpainter: Inpainter, photo: Path, arms: np.ndarray
) -> None:
    trunk = np.zeros_like(arms)
    trunk[76:90, 58:70] = True
    hole_in(photo, inner(arms) | trunk, transparent=True)
    painted = inpainter.paint(photo)
    assert painted.report["left"] > 0.8 * trunk.sum()
    assert not painted.mask[trunk].any()
    given = inpainter.paint(photo, arms | trunk)
    assert np.array_equal(given.mask, arms | trunk)
    assert any("of the mask is on the trunk or the hips" in each for each in given.report["warnings"])
    hole_in(photo, trunk, transparent=True)
    with pytest.raises(DataError, match="outside the trunk or the hips, which are never painted unasked"):
        inpainter.paint(photo)


def test_a_photo_without_holes_needs_a_mask(inpainter: Inpainter, photo: Path) -> None:
    Image.fromarray(np.minimum(rgb(photo), 250)).save(photo)
    with pytest.raises(DataError, match=r"anna\.png: has no transparent or flat white hole; give a mask"):
        inpainter.paint(photo)


def test_inverted_misplaced_and_other_masks_are_errors(
    inpainter: Inpainter, photo: Path, arms: np.ndarray
) -> None:
    with pytest.raises(DataError, match=r"covers the photo's border; it seems to be inverted"):
        inpainter.paint(photo, ~arms)
    labels = inpainter.segmenter.segment(_read(photo))
    with pytest.raises(DataError, match="covers the head; it seems to be inverted"):
        inpainter.paint(photo, labels.person)
    beside = np.zeros_like(arms)
    beside[2:12, 2:12] = True
    with pytest.raises(DataError, match="only 0% of the mask is on the person"):
        inpainter.paint(photo, beside)


def test_a_checkpoint_by_itself_and_other_components(
    photo_run: Path, photo: Path, arms: np.ndarray, tmp_path: Path, inpainter: Inpainter
) -> None:
    alone = tmp_path / "model.safetensors"
    shutil.copy(photo_run / "checkpoints" / "best.safetensors", alone)
    loaded = Inpainter.load(
        alone,
        segmenter={"type": "deepfashion", "suffix": "_segment.png"},
        pose_encoder=skinfw.use("pose_encoder", "openpose"),
    )
    assert np.array_equal(loaded.paint(photo, arms).image, inpainter.paint(photo, arms).image)
    assert loaded.model.preparation == inpainter.model.preparation
    assert (loaded.model.preparation.aspect, loaded.model.preparation.removed_margin) == (2, 1)


def test_samples_do_not_say_what_found_their_poses(make_run: Any, tmp_path: Path) -> None:
    """A run on a folder of samples reads poses beside photos, and finds those that are missing."""
    run = make_run(tmp_path / "run")
    assert "pose_encoder" not in str(run.spec.to_json()["data"]["dataset"])
    encoder = Inpainter.load(run.folder, device="cpu").pose_encoder
    assert isinstance(encoder, PoseBeside)
    assert encoder.other.name == "bodypix"


@pytest.mark.parametrize("kept_skin", [0, 0.5])
def test_the_network_sees_no_skin_but_the_face(
    make_run: Any,
    photo_run: Path,
    photo: Path,
    arms: np.ndarray,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kept_skin: float,
) -> None:
    data = open_run(photo_run).spec.to_json()["data"]
    run = make_run(tmp_path / "run", data={**data, "kept_skin": kept_skin}, composite="mask")
    loaded, seen = Inpainter.load(run.folder, device="cpu"), []

    def recorded(*arguments: Any) -> Any:
        seen.append(make_condition(*arguments))
        return seen[0]

    monkeypatch.setattr(inpainting, "make_condition", recorded)
    left = arms.copy()
    left[:, 64:] = False
    loaded.paint(photo, left)
    (condition,) = seen
    shown = (condition["apparel_head_foot"] < 250).any(axis=2)
    skin = condition["segmentation_skin"][..., 0] > 127
    assert skin[:, shown.shape[1] // 2 :].any() and not (shown & skin).any()
    head = slice(0, shown.shape[0] // 4)
    assert shown[head].any()


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from skinfw import Inpainter
Inpainter.load(sys.argv[1]).paint(sys.argv[2], sys.argv[3]).save(sys.argv[4])
"""


def test_an_exported_file_paints_as_its_checkpoint_also_without_torch(
    make_run: Any, photo_run: Path, photo: Path, arms: np.ndarray, tmp_path: Path, save_mask: SaveMask
) -> None:
    spec = open_run(photo_run).spec.to_json()
    # the network does not see the mask, which the composite in the file needs
    data = {**spec["data"], "inputs": ["apparel_head_foot", "line", "segmentation_skin"]}
    generator = {"type": "pix2pix", "base_channels": 4, "depth": 1}
    run = make_run(tmp_path / "run", data=data, generator=generator, composite="mask")
    exported = export_run(run, tmp_path / "model.onnx")
    files = [exported.path, photo, save_mask(arms), tmp_path / "painted.png"]
    subprocess.run([sys.executable, "-c", WITHOUT_TORCH, *map(str, files)], check=True, timeout=300)
    found = Inpainter.load(exported.path, device="cpu").paint(photo, arms)
    assert np.array_equal(rgb(tmp_path / "painted.png"), found.image)
    expected = Inpainter.load(run.folder, device="cpu").paint(photo, arms)
    assert np.array_equal(found.mask, expected.mask)
    assert found.report == {**expected.report, "model": "model.onnx"}
    assert expected.report["model"] == "run"
    assert np.abs(found.image.astype(int) - expected.image).max() <= 1


def test_a_label_map_of_another_photo_is_an_error(
    inpainter: Inpainter, photo: Path, arms: np.ndarray
) -> None:
    labels = inpainter.segmenter.segment(_read(photo))
    with pytest.raises(DataError, match="191x128 labels for a photo of 192x128"):
        inpainter.paint(photo, arms, segmentation=replace(labels, labels=labels.labels[1:]))
    regions = {"background": ("background",)}
    with pytest.raises(RunError, match="does not find skin and background"):
        inpainter.paint(photo, arms, segmentation=replace(labels, regions=regions))


def test_what_is_not_a_model_is_an_error(tmp_path: Path, photo: Path, photo_run: Path) -> None:
    with pytest.raises(RunError, match="not a model; give a run folder, a"):
        Inpainter.load(photo)
    with pytest.raises(RunError, match="no such run folder, checkpoint or"):
        Inpainter.load(tmp_path / "none.safetensors")
    with pytest.raises(skinfw.SkinfwError, match="tone_finder"):
        Inpainter.load(photo_run, segmenter="tone_finder")


def test_somebody_elses_model_names_no_program_and_no_path_unless_trusted(
    make_run: Any, photo_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = {
        "type": "photos",
        "root": str(photo_run.parent / "photos"),
        "cache": str(photo_run.parent / "cache2"),
        "segmenter": "deepfashion",
        "pose_encoder": {"type": "openpose", "folder": str(photo_run.parent / "photos")},
    }
    run = make_run(tmp_path / "run", data={"dataset": dataset, "size": [32, 16]})
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another home"))
    with pytest.raises(TrustError, match=r"dataset\.pose_encoder\.folder"):
        Inpainter.load(run.folder)
    Inpainter.load(run.folder, pose_encoder="openpose")
    Inpainter.load(run.folder, trust=True)


def test_a_negative_seed_is_an_error_before_the_work(inpainter: Inpainter, arms: np.ndarray) -> None:
    with pytest.raises(UserError, match="seed -1: is negative; give 0 or more"):
        inpainter.paint("nowhere.png", arms, seed=-1)
