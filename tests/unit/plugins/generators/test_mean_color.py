from __future__ import annotations

import numpy as np
import torch

from skinfw.testing import example_generator_io
from skinfw_plugins.generators.config import MeanColorConfig
from skinfw_plugins.generators.mean_color import MeanColorGenerator

INPUTS = ("apparel_head_foot", "face", "segmentation_skin", "mask")


def paint(
    image: torch.Tensor, face: torch.Tensor, skin: torch.Tensor, mask: torch.Tensor | None = None
) -> torch.Tensor:
    network = MeanColorGenerator(MeanColorConfig(), example_generator_io((8, 8), INPUTS))
    shown = [each.expand(3, -1, -1) for each in (face, skin, skin if mask is None else mask)]
    return network(torch.cat([image, *shown])[None])[0]


def masks(height: int = 8, width: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    face, skin = torch.zeros(1, height, width), torch.zeros(1, height, width)
    face[:, :3, :3] = 1
    skin[:, 5:] = 1
    return face, skin


def test_skin_takes_the_median_of_the_face_and_the_rest_stays() -> None:
    image = torch.randint(0, 230, (3, 8, 8), generator=torch.Generator().manual_seed(0)) / 255
    face, skin = masks()
    output = paint(image, face, skin)
    expected = np.median(image[:, :3, :3].numpy().reshape(3, -1), axis=1)
    assert np.array_equal(output[:, 5:].numpy(), np.broadcast_to(expected[:, None, None], (3, 3, 8)))
    assert torch.equal(output[:, :5], image[:, :5])


def test_a_few_strange_pixels_do_not_move_the_color() -> None:
    image = torch.full((3, 8, 8), 0.6)
    image[:, 0, :3] = 0.0
    face, skin = masks()
    assert torch.allclose(paint(image, face, skin)[:, 5:], torch.tensor(0.6))


def test_without_a_face_all_visible_pixels_give_the_color() -> None:
    image = torch.ones(3, 8, 8)
    image[:, 4, :] = 0.2
    face, skin = masks()
    assert torch.allclose(paint(image, torch.zeros_like(face), skin)[:, 5:], torch.tensor(0.2))


def test_the_inpainting_mask_beyond_the_skin_is_filled() -> None:
    image = torch.full((3, 8, 8), 0.6)
    # rows 3 and 4 are erased around the skin of rows 5 to 7
    image[:, 3:] = 1.0
    face, skin = masks()
    two, one = torch.zeros(1, 8, 8), torch.zeros(1, 8, 8)
    two[:, 3:], one[:, 4:] = 1, 1
    assert torch.allclose(paint(image, face, skin, two), torch.tensor(0.6))
    half = paint(image, face, skin, one)
    assert (half[:, 4] < 0.9).all() and torch.equal(half[:, :4], image[:, :4])
    none = paint(image, face, skin, torch.zeros(1, 8, 8))
    assert torch.allclose(none[:, 5:], torch.tensor(0.6)) and torch.equal(none[:, :5], image[:, :5])


def test_an_empty_image_stays_white() -> None:
    face, skin = masks()
    assert torch.equal(paint(torch.ones(3, 8, 8), face, skin), torch.ones(3, 8, 8))


def test_each_image_of_a_batch_has_its_own_color() -> None:
    network = MeanColorGenerator(MeanColorConfig(), example_generator_io((8, 8), INPUTS))
    face, skin = masks()
    shown = [each.expand(3, -1, -1) for each in (face, skin, skin)]
    rows = [torch.cat([torch.full((3, 8, 8), gray), *shown]) for gray in (0.2, 0.8)]
    output = network(torch.stack(rows))
    assert torch.allclose(output[0], torch.tensor(0.2))
    assert torch.allclose(output[1], torch.tensor(0.8))
    assert not list(network.parameters())
