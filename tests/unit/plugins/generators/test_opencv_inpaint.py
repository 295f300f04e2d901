from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from skinfw.data.pixel_types import image_tensor, mask_tensor
from skinfw.testing import example_generator_io
from skinfw_plugins.generators.config import OpenCvInpaintConfig
from skinfw_plugins.generators.opencv_inpaint import OpenCvInpaintGenerator

INPUTS = ("segmentation_skin", "apparel_head_foot", "mask")
SIZE = (16, 24)


def build(**fields: object) -> OpenCvInpaintGenerator:
    return OpenCvInpaintGenerator(
        OpenCvInpaintConfig.model_validate(fields), example_generator_io(SIZE, INPUTS)
    )


def example() -> tuple[np.ndarray, np.ndarray, torch.Tensor]:
    """An image, its skin, and the condition in which the skin alone may be painted."""
    image = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    skin = np.zeros(SIZE, bool)
    skin[4:9, 6:15] = True
    image[skin] = 255
    mask = mask_tensor([skin]).expand(-1, 3, -1, -1)
    return image, skin, torch.cat([mask, image_tensor([image]), mask], dim=1)


@pytest.mark.parametrize(
    ("method", "flag"), [("telea", cv2.INPAINT_TELEA), ("navier_stokes", cv2.INPAINT_NS)]
)
def test_equals_opencv_bit_for_bit(method: str, flag: int) -> None:
    image, skin, condition = example()
    expected = cv2.inpaint(image, skin.astype(np.uint8), 5, flag)
    assert torch.equal(build(method=method, radius=5)(condition), image_tensor([expected]))


def test_pixels_outside_the_skin_stay_and_those_inside_change() -> None:
    image, skin, condition = example()
    output = build()(condition)[0].permute(1, 2, 0).numpy()
    before = image_tensor([image])[0].permute(1, 2, 0).numpy()
    assert np.array_equal(output[~skin], before[~skin])
    assert (output[skin] < 1).any(axis=1).all()


def test_a_plain_surrounding_is_continued() -> None:
    _, skin, condition = example()
    condition[:, 3:6] = 0.4
    condition[:, 3:6][:, :, torch.from_numpy(skin)] = 1.0
    # OpenCV's Telea adds its estimate of the gradient, which is off by a few of 255 even here
    assert torch.allclose(build()(condition), torch.tensor(102 / 255), atol=4 / 255)
    assert torch.allclose(build(method="navier_stokes")(condition), torch.tensor(102 / 255))


def test_the_inpainting_mask_is_filled_with_the_skin() -> None:
    _, skin, condition = example()
    ring = cv2.dilate(skin.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool) & ~skin
    condition[:, 3:6] = 0.4
    condition[:, 3:6][:, :, torch.from_numpy(skin | ring)] = 1.0
    inside = torch.from_numpy(skin)
    # without it, the white around the skin flows in
    assert torch.all(build(method="navier_stokes")(condition)[:, :, inside] > 0.9)
    condition[:, 6:][:, :, torch.from_numpy(ring)] = 1
    output = build(method="navier_stokes")(condition)
    assert torch.allclose(output[:, :, inside], torch.tensor(102 / 255))
    assert torch.allclose(output[:, :, torch.from_numpy(ring)], torch.tensor(102 / 255))


def test_white_beyond_the_mask_stays() -> None:
    _, skin, condition = example()
    condition[:, 3:6] = 1.0
    condition[:, 3:6, 2] = 0.4
    near = cv2.dilate(skin.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    condition[:, 6:] = mask_tensor([near])
    assert torch.all(build()(condition)[:, :, 3:][:, :, torch.from_numpy(~near[3:])] == 1)


def test_skin_outside_the_mask_is_painted_too() -> None:
    """A composite on the skin takes it from here."""
    image, skin, condition = example()
    condition[:, 6:] = 0
    expected = cv2.inpaint(image, skin.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    assert torch.equal(build()(condition), image_tensor([expected]))


def test_radius_changes_the_fill() -> None:
    _, _, condition = example()
    assert not torch.equal(build(radius=1)(condition), build(radius=8)(condition))


def test_has_nothing_to_train() -> None:
    assert not list(build().parameters())
