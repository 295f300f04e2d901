from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx_models import write_mean_fill

from skinfw.components.reference import use
from skinfw.data.parts import dilate
from skinfw.data.photo import Photo
from skinfw.errors import UserError
from skinfw.inference.background import TELEA, behind_limbs, fill_background, soft_edge
from skinfw.inference.background_generator import BackgroundGenerator
from skinfw.inference.inpainter import Inpainter


def test_the_skin_of_a_person_is_not_behind_the_limbs(
    inpainter: Inpainter, photo: Path, arms: np.ndarray
) -> None:
    opened = Photo.read(photo)
    pose = inpainter.pose_encoder.keypoints(opened)
    assert pose is not None
    assert not behind_limbs(arms, pose).any()


def test_a_limb_blends_into_the_background_behind_it() -> None:
    y, x = np.mgrid[:60, :40]
    painted = (x >= 5) & (x < 35) & (y >= 5)
    limbs = painted & (x + y // 7 < 24)  # a slanted border
    behind = painted & ~limbs
    image = np.where(limbs, 200, np.where(behind, 40, 90)).astype(np.uint8)[..., None].repeat(3, axis=2)
    soft = soft_edge(image, limbs, behind, height=60)
    assert np.array_equal(soft[~painted], image[~painted])
    border = dilate(limbs, 1) & dilate(behind, 1)
    assert ((soft[border] > 50) & (soft[border] < 190)).all()
    far = painted & ~(dilate(limbs, 4) & dilate(behind, 4))
    assert np.array_equal(soft[far], image[far])
    # beside what is not painted, a limb keeps its own color
    assert (soft[30, 5:12] == 200).all()
    assert soft_edge(image, limbs, np.zeros_like(limbs), height=60) is image


def test_a_wide_sleeve_shows_the_background_beside_the_arm(
    inpainter: Inpainter, photo: Path, arms: np.ndarray
) -> None:
    opened = Photo.read(photo)
    labels = inpainter.segmenter.segment(opened)
    pose = inpainter.pose_encoder.keypoints(opened)
    assert pose is not None
    x, y, _ = pose.point("RElbow").astype(int).tolist()
    sleeve = np.zeros_like(arms)
    sleeve[y - 8 : y + 8, max(0, x - 30) : x + 8] = True
    sleeve &= labels.region("background") | labels.region("skin") | labels.region("apparel")
    behind = behind_limbs(sleeve, pose)
    assert behind[y, max(0, x - 29)]
    assert not behind[y, x]
    pixels = np.full((*arms.shape, 3), (90, 120, 150), np.uint8)
    pixels[labels.person] = opened.pixels[labels.person]
    painted = inpainter.paint(pixels, sleeve, segmentation=labels, keypoints=pose)
    assert painted.report["background"] == behind.sum()
    assert any("filled as background" in each for each in painted.report["warnings"])
    far = behind & (np.indices(behind.shape)[1] < x - 24)
    assert np.abs(painted.image[far].astype(int) - (90, 120, 150)).max() <= 12


def test_a_pose_that_does_not_fit_the_mask_makes_nothing_background(
    inpainter: Inpainter, photo: Path, arms: np.ndarray
) -> None:
    pose = inpainter.pose_encoder.keypoints(Photo.read(photo))
    assert pose is not None
    elsewhere = pose.mapped(1.0, 1.0, 40, 0)
    painted = inpainter.paint(photo, arms, keypoints=elsewhere)
    assert painted.report["background"] == 0


def test_people_are_not_continued_into_the_background() -> None:
    photo = np.full((60, 60, 3), 80, np.uint8)
    photo[:20, 20:40] = 255  # the clothes above
    mask, person = np.zeros((2, 60, 60), bool)
    mask[20:40, 20:40] = person[:20, 20:40] = True
    plain, without = (fill_background(photo, mask, mask, person=each) for each in (None, person))
    assert plain[22, 30].min() > 150 and np.abs(without[mask].astype(int) - 80).max() <= 5
    everywhere = fill_background(photo, mask, mask, person=np.ones_like(mask))
    assert np.array_equal(everywhere, plain)  # nothing else is around


def test_only_what_is_behind_is_filled_and_from_outside_the_mask() -> None:
    photo = np.full((60, 60, 3), 80, np.uint8)
    mask, behind = np.zeros((60, 60), bool), np.zeros((60, 60), bool)
    mask[20:40, 20:40] = behind[20:40, 20:25] = True
    photo[mask] = 255
    filled = fill_background(photo, mask, behind)
    assert np.abs(filled[behind].astype(int) - 80).max() <= 3  # OpenCV rounds
    assert np.array_equal(filled[~behind], photo[~behind])


def test_large_holes_are_filled_at_a_reduced_size() -> None:
    photo = np.full((1500, 40, 3), 80, np.uint8)
    mask = np.zeros((1500, 40), bool)
    mask[20:1480, 10:30] = True
    photo[mask] = 255
    assert np.abs(fill_background(photo, mask, mask)[mask].astype(int) - 80).max() <= 3


@pytest.fixture
def striped() -> tuple[np.ndarray, np.ndarray]:
    """An image and its hidden pixels."""
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    hidden = np.zeros((40, 60), bool)
    hidden[10:30, 20:45] = True
    return image, hidden


def test_a_generator_fills_what_is_hidden(striped: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    image, hidden = striped
    assert np.array_equal(
        BackgroundGenerator(use("generator", "opencv_inpaint"))(image, hidden), TELEA(image, hidden)
    )
    path = write_mean_fill(tmp_path / "mean.onnx")
    network = BackgroundGenerator(use("generator", "onnx", path=path))
    filled = network(image, hidden)
    assert np.array_equal(filled[~hidden], image[~hidden])
    assert np.abs(filled[hidden] - image[~hidden].mean(axis=0)).max() <= 1
    # old clothes under the mask do not matter
    image[hidden] = (0, 255, 0)
    assert np.array_equal(network(image, hidden), filled)
    marks = [network.fingerprint(), TELEA.fingerprint()]
    write_mean_fill(path, hole=0)
    marks.append(BackgroundGenerator(use("generator", "onnx", path=path)).fingerprint())
    assert len({str(mark) for mark in marks}) == 3


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pix2pix", "'pix2pix' has to be trained on skin; use opencv_inpaint, or onnx with"),
        ("limbs", "'limbs' draws skin"),
        ("mean_color", "'mean_color' needs face besides an image and its holes"),
    ],
)
def test_a_generator_that_cannot_fill_a_background_is_refused(name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        BackgroundGenerator(use("generator", name))


def test_what_cannot_fill_is_refused_at_once(tmp_path: Path) -> None:
    for generator, message in (
        ({"type": "images", "folder": str(tmp_path)}, "knows the results for samples only"),
        ({"type": "onnx", "path": str(tmp_path / "none.onnx")}, "no such ONNX file"),
    ):
        with pytest.raises(UserError, match=message):
            BackgroundGenerator(use("generator", generator.pop("type"), **generator))


def test_the_background_is_filled_by_the_chosen_network(
    inpainter: Inpainter, photo_run: Path, photo: Path, arms: np.ndarray, tmp_path: Path
) -> None:
    path = write_mean_fill(tmp_path / "mean.onnx")
    chosen = Inpainter.load(photo_run, device="cpu", background={"type": "onnx", "path": str(path)})
    pose = inpainter.pose_encoder.keypoints(Photo.read(photo))
    assert pose is not None
    x, y, _ = pose.point("RElbow").astype(int).tolist()
    sleeve = np.zeros_like(arms)
    sleeve[y - 8 : y + 8, max(0, x - 30) : x + 8] = True
    behind = behind_limbs(sleeve, pose)
    one, other = (each.paint(photo, sleeve) for each in (inpainter, chosen))
    assert one.report["background"] == other.report["background"] == behind.sum() > 0
    differs = (one.image != other.image).any(axis=2)
    assert differs[behind].mean() > 0.5
    flat = other.image[behind & ~dilate(sleeve & ~behind, 4)].astype(int)  # the limb blends into the rest
    assert np.abs(flat - np.median(flat, axis=0)).max() <= 1  # one color
