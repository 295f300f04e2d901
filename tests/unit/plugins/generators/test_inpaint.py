from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from skinfw.data.field_types import image_tensor
from skinfw.interfaces import GeneratorIO
from skinfw_plugins.generators.config import InpaintConfig
from skinfw_plugins.generators.inpaint import InpaintGenerator

INPUTS = ("segmentation_skin", "apparel_head_foot")
SIZE = (16, 24)


def build(**fields: object) -> InpaintGenerator:
    return InpaintGenerator(InpaintConfig.model_validate(fields), GeneratorIO(SIZE, INPUTS))


def example() -> tuple[np.ndarray, np.ndarray, torch.Tensor]:
    picture = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    skin = np.zeros(SIZE, bool)
    skin[4:9, 6:15] = True
    picture[skin] = 255
    mask = np.repeat(skin[..., None], 3, axis=2).astype(np.uint8) * 255
    return picture, skin, torch.cat([image_tensor([mask]), image_tensor([picture])], dim=1)


@pytest.mark.parametrize(
    ("method", "flag"), [("telea", cv2.INPAINT_TELEA), ("navier_stokes", cv2.INPAINT_NS)]
)
def test_equals_opencv_bit_for_bit(method: str, flag: int) -> None:
    picture, skin, condition = example()
    expected = cv2.inpaint(picture, skin.astype(np.uint8), 5, flag)
    assert torch.equal(build(method=method, radius=5, margin=0)(condition), image_tensor([expected]))


def test_pixels_outside_the_skin_stay_and_those_inside_change() -> None:
    picture, skin, condition = example()
    output = build()(condition)[0].permute(1, 2, 0).numpy()
    before = image_tensor([picture])[0].permute(1, 2, 0).numpy()
    assert np.array_equal(output[~skin], before[~skin])
    assert (output[skin] < 1).any(axis=1).all()


def test_a_plain_surrounding_is_continued() -> None:
    _, skin, condition = example()
    condition[:, 3:] = 0.4
    condition[:, 3:][:, :, torch.from_numpy(skin)] = 1.0
    # OpenCV's Telea adds its estimate of the gradient, which is off by a few of 255 even here
    assert torch.allclose(build()(condition), torch.tensor(102 / 255), atol=4 / 255)
    assert torch.allclose(build(method="navier_stokes")(condition), torch.tensor(102 / 255))


@pytest.mark.parametrize("white", [1.0, 240 / 255])
def test_the_erased_ring_is_filled_with_the_skin(white: float) -> None:
    _, skin, condition = example()
    ring = cv2.dilate(skin.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool) & ~skin
    condition[:, 3:] = 0.4
    condition[:, 3:][:, :, torch.from_numpy(skin | ring)] = white
    inside = torch.from_numpy(skin)
    output = build(method="navier_stokes", margin=2)(condition)
    assert torch.allclose(output[:, :, inside], torch.tensor(102 / 255))
    assert torch.allclose(output[:, :, torch.from_numpy(ring)], torch.tensor(102 / 255))
    assert torch.all(build(method="navier_stokes", margin=0)(condition)[:, :, inside] > 0.9)


def test_white_beyond_the_margin_stays() -> None:
    _, skin, condition = example()
    condition[:, 3:] = 1.0
    condition[:, 3:, 2] = 0.4
    near = cv2.dilate(skin.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    assert torch.all(build(margin=2)(condition)[:, :, 3:][:, :, torch.from_numpy(~near[3:])] == 1)


def test_radius_changes_the_fill() -> None:
    _, _, condition = example()
    assert not torch.equal(build(radius=1)(condition), build(radius=8)(condition))


def test_has_nothing_to_train() -> None:
    assert not list(build().parameters())
