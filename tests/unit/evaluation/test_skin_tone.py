from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from skinfw.evaluation.skin_tone import MONK_SHADES, nearest_monk, skin_tones, typology_angle


def of_shade(shade: str) -> np.ndarray:
    return np.array(list(bytes.fromhex(shade.removeprefix("#")))) / 255


@pytest.mark.parametrize("count", [1, 4, 5, 200])
def test_the_tone_is_that_of_the_median_lab_of_the_skin_alone(count: int) -> None:
    generator = torch.Generator().manual_seed(count)
    images = torch.rand(2, 3, 16, 16, generator=generator)
    skin = torch.zeros(2, 1, 16, 16)
    skin.view(2, -1)[1, torch.randperm(256, generator=generator)[:count]] = 1
    nothing, found = skin_tones(images, skin)
    assert nothing is None
    assert found is not None
    colors = images[1].permute(1, 2, 0).double().numpy()[skin[1, 0].numpy() > 0.5]
    lightness, redness, yellowness = np.median(rgb2lab(colors[:, None])[:, 0], axis=0)
    assert found.lightness == pytest.approx(lightness, abs=1e-3)
    assert found.ita == pytest.approx(math.degrees(math.atan2(lightness - 50, yellowness)), abs=0.05)
    shades = [rgb2lab(of_shade(shade)) for shade in MONK_SHADES]
    distances = [np.linalg.norm(shade - [lightness, redness, yellowness]) for shade in shades]
    assert found.monk == 1 + int(np.argmin(distances))


@pytest.mark.parametrize(("tone", "shade"), list(enumerate(MONK_SHADES, 1)))
def test_each_monk_shade_is_its_own_nearest(tone: int, shade: str) -> None:
    image = torch.from_numpy(of_shade(shade)).float()[None, :, None, None].expand(1, 3, 4, 4)
    (found,) = skin_tones(image, torch.ones(1, 1, 4, 4))
    assert found is not None
    assert found.monk == tone
    assert nearest_monk(rgb2lab(of_shade(shade)).tolist()) == tone


def test_a_few_dark_pixels_do_not_change_the_tone() -> None:
    image = torch.tensor([0.8, 0.6, 0.5])[None, :, None, None].repeat(1, 1, 10, 10)
    clean = skin_tones(image, torch.ones(1, 1, 10, 10))
    image[..., :4, :] = 0
    assert skin_tones(image, torch.ones(1, 1, 10, 10)) == clean


@pytest.mark.parametrize(
    ("lightness", "yellowness", "angle"), [(60, 10, 45), (40, 10, -45), (50, 12, 0), (70, 0, 90)]
)
def test_the_typology_angle(lightness: float, yellowness: float, angle: float) -> None:
    assert typology_angle(lightness, yellowness) == pytest.approx(angle)
