from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from skimage.color import hsv2rgb, rgb2hsv, rgb2lab
from torch import Tensor
from torchvision.transforms.v2 import functional

from skinfw.components.registry import installed
from skinfw.data.batch import Batch
from skinfw.data.sample import APPAREL, FACE, LINE, SKIN
from skinfw.interfaces import AugmentationIO
from skinfw.testing import example_batch
from skinfw_plugins.augmentations.skin_tone import TONE_AXIS

SIZE = (40, 32)
COLORS = ("brightness", "contrast", "saturation", "hue", "skin_tone")


def change(name: str, batch: Batch, seed: int = 0, **config: Any) -> Batch:
    component = installed().component_class("augmentation", name)
    settings = installed().config_class("augmentation", name).model_validate(config)
    augmentation: Callable[[Batch], Batch] = component(settings, AugmentationIO(SIZE))
    torch.manual_seed(seed)
    return augmentation(batch)


def rows(picture: Tensor) -> np.ndarray[Any, Any]:
    """Return a picture ``(3, H, W)`` as ``(H, W, 3)`` for skimage."""
    return picture.permute(1, 2, 0).double().numpy()


def person(batch: Batch) -> Tensor:
    return ((batch.kept + batch.skin) > 0.5).expand_as(batch.target)


def test_brightness_is_that_of_torchvision() -> None:
    batch = example_batch(3, SIZE)
    changed = change("brightness", batch, factor=[1.4, 1.4])
    expected = functional.adjust_brightness(batch.target, 1.4)
    torch.testing.assert_close(changed.target, torch.where(person(batch), expected, 1))


def test_saturation_is_that_of_torchvision() -> None:
    batch = example_batch(3, SIZE)
    changed = change("saturation", batch, factor=[1.7, 1.7])
    expected = functional.adjust_saturation(batch.target, 1.7)
    # the weights of red, green and blue have three digits here and four there
    torch.testing.assert_close(changed.target, torch.where(person(batch), expected, 1), rtol=0, atol=2e-3)
    gray = change("saturation", batch, factor=[0, 0]).target
    assert (gray.amax(1) - gray.amin(1)).max() < 1e-6


def test_contrast_keeps_the_mean_gray_of_the_person() -> None:
    batch = example_batch(3, SIZE)
    changed = change("contrast", batch, factor=[0.5, 0.5])
    for index in range(3):
        mask = person(batch)[index]
        colors = batch.target[index][mask].view(3, -1)
        mean = float((torch.tensor([0.299, 0.587, 0.114]) @ colors).mean())
        expected = mean + 0.5 * (colors - mean)
        torch.testing.assert_close(changed.target[index][mask].view(3, -1), expected, rtol=0, atol=1e-5)
    flat = change("contrast", batch, factor=[0, 0]).target[0][person(batch)[0]]
    torch.testing.assert_close(flat, flat[:1].expand_as(flat))


@pytest.mark.parametrize("seed", [0, 1])
def test_hue_is_that_of_skimage(seed: int) -> None:
    batch = example_batch(1, SIZE)
    changed = change("hue", batch, seed, degrees=90)
    mask = person(batch)[0, 0].numpy()
    before, after = (rgb2hsv(rows(each.target[0]))[mask] for each in (batch, changed))
    turn = (after[:, 0] - before[:, 0] + 0.5) % 1 - 0.5
    # one turn for all pixels that have a hue; saturation and value stay
    assert np.ptp(turn) < 1e-3 and 0.01 < abs(turn.mean()) <= 0.25
    assert np.abs(after[:, 1:] - before[:, 1:]).max() < 1e-4
    before[:, 0] = (before[:, 0] + turn.mean()) % 1
    assert np.abs(hsv2rgb(before) - rows(changed.target[0])[mask]).max() < 1e-3


def with_face(batch: Batch, face: Tensor) -> Batch:
    return replace(batch, inputs={**batch.inputs, FACE: face.expand_as(batch.target)})


def test_skin_tone_shifts_skin_and_face_alike_in_lab() -> None:
    batch = example_batch(4, SIZE)
    # mild colors: none of them leaves what a screen can show
    batch = replace(batch, target=torch.where(person(batch), batch.target * 0.3 + 0.4, 1))
    batch = replace(batch, inputs={**batch.inputs, APPAREL: torch.where(batch.kept > 0.5, batch.target, 1)})
    changed = change("skin_tone", batch, lightness=10, chroma=3)
    shifts = []
    for index in range(4):
        face = batch.inputs[FACE][index, 0].numpy() > 0.5
        skin = batch.skin[index, 0].numpy() > 0.5
        moved = rgb2lab(rows(changed.target[index])) - rgb2lab(rows(batch.target[index]))
        shift = moved[skin | face]
        assert np.ptp(shift, axis=0).max() < 0.1
        assert np.abs(moved[~(skin | face)]).max() < 1e-4
        worn = changed.inputs[APPAREL][index] - batch.inputs[APPAREL][index]
        assert (worn.abs().amax(0).numpy()[face] > 0).all()
        assert not worn.numpy()[:, ~face].any()
        shifts.append(shift.mean(0))
    lightness, red, yellow = np.array(shifts).T
    assert np.ptp(lightness) > 1 and np.abs(lightness).max() <= 10.01
    for values, slope in ((red, TONE_AXIS[1]), (yellow, TONE_AXIS[2])):
        assert np.abs(values - slope * lightness).max() <= 3.01


def test_skin_tone_without_a_face_shifts_the_skin_alone() -> None:
    batch = example_batch(2, SIZE)
    batch = with_face(batch, torch.zeros(2, 1, *SIZE))
    changed = change("skin_tone", batch)
    skin = (batch.skin > 0.5).expand_as(batch.target)
    assert torch.equal(changed.inputs[APPAREL], batch.inputs[APPAREL])
    assert torch.equal(changed.target[~skin], batch.target[~skin])
    assert (changed.target[skin] != batch.target[skin]).any()


def test_without_skin_and_face_nothing_changes() -> None:
    batch = example_batch(2, SIZE)
    batch = replace(with_face(batch, torch.zeros(2, 1, *SIZE)), skin=torch.zeros(2, 1, *SIZE))
    changed = change("skin_tone", batch)
    assert torch.equal(changed.target, batch.target)


@pytest.mark.parametrize("name", COLORS)
def test_masks_line_and_background_stay(name: str) -> None:
    batch = example_batch(4, SIZE)
    changed = change(name, batch)
    for part in (LINE, SKIN, FACE):
        assert torch.equal(changed.inputs[part], batch.inputs[part])
    assert torch.equal(changed.kept, batch.kept) and torch.equal(changed.skin, batch.skin)
    assert (changed.target[~person(batch)] == 1).all()
    erased = (batch.kept < 0.5).expand_as(batch.target)
    assert (changed.inputs[APPAREL][erased] == 1).all()
    assert not torch.equal(changed.target, batch.target)


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation", "hue"])
def test_the_ring_around_the_skin_belongs_to_the_person(name: str) -> None:
    """It is erased from the input, and neither kept nor skin. Nearly white background of a JPEG stays."""
    batch = example_batch(1, SIZE)
    target = batch.target.clone()
    target[0, :, 20, 1] = torch.tensor([0.6, 0.4, 0.3])
    target[0, :, 20, 30] = torch.tensor([0.96, 0.95, 0.97])
    batch = replace(batch, target=target)
    assert not person(batch)[0, 0, 20, 1]
    changed = change(name, batch, seed=1)
    assert not torch.equal(changed.target[0, :, 20, 1], target[0, :, 20, 1])
    assert torch.equal(changed.target[0, :, 20, 30], target[0, :, 20, 30])
    assert torch.equal(changed.inputs[APPAREL][0, :, 20, 1], torch.ones(3))


@pytest.mark.parametrize("name", COLORS)
def test_pictures_of_different_files_change_by_the_same(name: str) -> None:
    batch = example_batch(2, SIZE)
    other = (batch.inputs[APPAREL] - 0.02).clamp(0, 1)
    alike, apart = (
        change(name, replace(batch, inputs={**batch.inputs, APPAREL: apparel}))
        for apparel in (batch.inputs[APPAREL], other)
    )
    torch.testing.assert_close(alike.target, apart.target)
    moved = apart.inputs[APPAREL] - alike.inputs[APPAREL]
    kept = (batch.kept > 0.5).expand_as(moved)
    assert moved[kept].abs().max() < 0.06
    # nothing of what counts as erased changes
    assert torch.equal(apart.inputs[APPAREL][~kept], other[~kept])


def test_every_sample_has_a_draw_of_its_own() -> None:
    batch = example_batch(6, SIZE)
    changed = change("brightness", batch)
    factors = [
        float((new[mask] / old[mask]).median())
        for new, old, mask in zip(changed.target, batch.target, person(batch), strict=True)
    ]
    assert len({round(factor, 4) for factor in factors}) == 6
    assert all(0.8 <= factor <= 1.2 for factor in factors)
