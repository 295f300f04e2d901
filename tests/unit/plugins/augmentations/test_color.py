from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from skimage.color import hsv2rgb, rgb2hsv, rgb2lab
from torch import Tensor
from torchvision.transforms.v2 import functional

from skinfw.components.field_names import APPAREL, BODY, FACE, IMAGE, KEEP, LABELS, LINE, MASK, SKIN
from skinfw.components.registry import installed
from skinfw.data.batch import Batch, collate
from skinfw.data.field_types import Field
from skinfw.data.garment_mask import cover
from skinfw.data.kept_skin import keep_skin
from skinfw.data.pixel_types import ImageType, LabelMapType
from skinfw.data.sample import Sample
from skinfw.interfaces import AugmentationIO
from skinfw.testing import example_batch
from skinfw_plugins.augmentations.skin_tone import TONE_AXIS

SIZE = (40, 32)
ALL_OVER = ("brightness", "contrast", "saturation", "hue")
COLORS = (*ALL_OVER, "skin_tone")


def change(name: str, batch: Batch, seed: int = 0, **config: Any) -> Batch:
    component = installed().component_class("augmentation", name)
    settings = installed().config_class("augmentation", name).model_validate(config)
    augmentation: Callable[[Batch], Batch] = component(settings, AugmentationIO(SIZE))
    torch.manual_seed(seed)
    return augmentation(batch)


def rows(image: Tensor) -> np.ndarray[Any, Any]:
    """Return an image ``(3, H, W)`` as ``(H, W, 3)`` for skimage."""
    return image.permute(1, 2, 0).double().numpy()


def person(batch: Batch) -> Tensor:
    return ((batch[KEEP] + batch[SKIN]) > 0.5).expand_as(batch[BODY])


def test_brightness_is_that_of_torchvision() -> None:
    batch = example_batch(3, SIZE)
    changed = change("brightness", batch, factor=[1.4, 1.4])
    expected = functional.adjust_brightness(batch[BODY], 1.4)
    torch.testing.assert_close(changed[BODY], torch.where(person(batch), expected, 1))


def test_saturation_is_that_of_torchvision() -> None:
    batch = example_batch(3, SIZE)
    changed = change("saturation", batch, factor=[1.7, 1.7])
    expected = functional.adjust_saturation(batch[BODY], 1.7)
    # the weights of red, green and blue have three digits here and four there
    torch.testing.assert_close(changed[BODY], torch.where(person(batch), expected, 1), rtol=0, atol=2e-3)
    gray = change("saturation", batch, factor=[0, 0])[BODY]
    assert (gray.amax(1) - gray.amin(1)).max() < 1e-6


def test_contrast_keeps_the_mean_gray_of_the_person() -> None:
    batch = example_batch(3, SIZE)
    changed = change("contrast", batch, factor=[0.5, 0.5])
    for index in range(3):
        mask = person(batch)[index]
        colors = batch[BODY][index][mask].view(3, -1)
        mean = float((torch.tensor([0.299, 0.587, 0.114]) @ colors).mean())
        expected = mean + 0.5 * (colors - mean)
        torch.testing.assert_close(changed[BODY][index][mask].view(3, -1), expected, rtol=0, atol=1e-5)
    flat = change("contrast", batch, factor=[0, 0])[BODY][0][person(batch)[0]]
    torch.testing.assert_close(flat, flat[:1].expand_as(flat))


@pytest.mark.parametrize("seed", [0, 1])
def test_hue_is_that_of_skimage(seed: int) -> None:
    batch = example_batch(1, SIZE)
    changed = change("hue", batch, seed, degrees=90)
    mask = person(batch)[0, 0].numpy()
    before, after = (rgb2hsv(rows(each[BODY][0]))[mask] for each in (batch, changed))
    turn = (after[:, 0] - before[:, 0] + 0.5) % 1 - 0.5
    # one turn for all pixels that have a hue; saturation and value stay
    assert np.ptp(turn) < 1e-3 and 0.01 < abs(turn.mean()) <= 0.25
    assert np.abs(after[:, 1:] - before[:, 1:]).max() < 1e-4
    before[:, 0] = (before[:, 0] + turn.mean()) % 1
    assert np.abs(hsv2rgb(before) - rows(changed[BODY][0])[mask]).max() < 1e-3


def test_skin_tone_shifts_skin_and_face_alike_in_lab() -> None:
    batch = example_batch(4, SIZE)
    # mild colors: none of them leaves what a screen can show
    body = torch.where(person(batch), batch[BODY] * 0.3 + 0.4, 1)
    batch = batch.updated({BODY: body, APPAREL: torch.where(batch[KEEP] > 0.5, body, 1)})
    changed = change("skin_tone", batch, lightness=10, chroma=3)
    shifts = []
    for index in range(4):
        face = batch[FACE][index, 0].numpy() > 0.5
        skin = batch[SKIN][index, 0].numpy() > 0.5
        moved = rgb2lab(rows(changed[BODY][index])) - rgb2lab(rows(batch[BODY][index]))
        shift = moved[skin | face]
        assert np.ptp(shift, axis=0).max() < 0.1
        assert np.abs(moved[~(skin | face)]).max() < 1e-4
        worn = changed[APPAREL][index] - batch[APPAREL][index]
        assert (worn.abs().amax(0).numpy()[face] > 0).all()
        assert not worn.numpy()[:, ~face].any()
        shifts.append(shift.mean(0))
    lightness, red, yellow = np.array(shifts).T
    assert np.ptp(lightness) > 1 and np.abs(lightness).max() <= 10.01
    for values, slope in ((red, TONE_AXIS[1]), (yellow, TONE_AXIS[2])):
        assert np.abs(values - slope * lightness).max() <= 3.01


def test_skin_tone_without_a_face_shifts_the_skin_alone() -> None:
    batch = example_batch(2, SIZE).updated({FACE: torch.zeros(2, 1, *SIZE)})
    changed = change("skin_tone", batch)
    skin = (batch[SKIN] > 0.5).expand_as(batch[BODY])
    assert torch.equal(changed[APPAREL], batch[APPAREL])
    assert torch.equal(changed[BODY][~skin], batch[BODY][~skin])
    assert (changed[BODY][skin] != batch[BODY][skin]).any()


def test_without_skin_and_face_nothing_changes() -> None:
    blank = torch.zeros(2, 1, *SIZE)
    batch = example_batch(2, SIZE).updated({FACE: blank, SKIN: blank})
    changed = change("skin_tone", batch)
    assert torch.equal(changed[BODY], batch[BODY])


@pytest.mark.parametrize("name", COLORS)
def test_masks_line_and_background_stay(name: str) -> None:
    batch = example_batch(4, SIZE)
    changed = change(name, batch)
    for part in set(batch.fields) - {APPAREL, BODY}:
        assert torch.equal(changed[part], batch[part]), part
    assert {LINE, SKIN, FACE, KEEP, MASK} < batch.fields.keys()
    assert (changed[BODY][~person(batch)] == 1).all()
    erased = (batch[KEEP] < 0.5).expand_as(batch[BODY])
    assert (changed[APPAREL][erased] == 1).all()
    assert not torch.equal(changed[BODY], batch[BODY])


@pytest.mark.parametrize("name", ALL_OVER)
def test_what_was_erased_around_the_skin_belongs_to_the_person(name: str) -> None:
    """Nearly white background of a JPEG stays, unless the inpainting mask says that it is the person."""
    batch = example_batch(1, SIZE)
    body, mask = batch[BODY].clone(), batch[MASK].clone()
    body[0, :, 20, 1] = torch.tensor([0.6, 0.4, 0.3])
    body[0, :, 20, 30] = body[0, :, 24, 30] = torch.tensor([0.96, 0.95, 0.97])
    mask[0, 0, 24, 30] = 1
    batch = batch.updated({BODY: body, MASK: mask})
    assert not person(batch)[0, 0, [20, 20, 24], [1, 30, 30]].any()
    changed = change(name, batch, seed=1)
    for row, column, moves in ((20, 1, True), (20, 30, False), (24, 30, True)):
        assert torch.equal(changed[BODY][0, :, row, column], body[0, :, row, column]) != moves
        assert torch.equal(changed[APPAREL][0, :, row, column], torch.ones(3))


@pytest.mark.parametrize("name", COLORS)
def test_white_background_stays_under_a_mask_that_covers_it(name: str) -> None:
    batch = cover(example_batch(2, SIZE), (0.2, 0.4))
    background = (batch[BODY] == 1).all(dim=1, keepdim=True)
    assert (background & (batch[MASK] > 0.5)).any()
    changed = change(name, batch)
    assert (changed[BODY][background.expand_as(batch[BODY])] == 1).all()
    assert not torch.equal(changed[BODY], batch[BODY])


def test_skin_tone_shifts_skin_that_stays_visible_in_input_and_target() -> None:
    batch = keep_skin(example_batch(2, SIZE), 1.0)
    # two JPEGs of one image differ a little
    input_ = torch.where(batch[KEEP] > 0.5, (batch[APPAREL] + 0.01).clamp(0, 1), 1)
    changed = change("skin_tone", batch.updated({APPAREL: input_}), lightness=10)
    shown = ((batch[KEEP] > 0.5) & (batch[SKIN] > 0.5)).expand_as(input_)
    assert shown.any() and not torch.equal(changed[APPAREL][shown], input_[shown])
    assert (changed[APPAREL] - changed[BODY])[shown].abs().max() < 0.03


@pytest.mark.parametrize("name", COLORS)
def test_images_of_different_files_change_by_the_same(name: str) -> None:
    batch = example_batch(2, SIZE)
    other = (batch[APPAREL] - 0.02).clamp(0, 1)
    alike, apart = (change(name, batch.updated({APPAREL: apparel})) for apparel in (batch[APPAREL], other))
    torch.testing.assert_close(alike[BODY], apart[BODY])
    moved = apart[APPAREL] - alike[APPAREL]
    kept = (batch[KEEP] > 0.5).expand_as(moved)
    assert moved[kept].abs().max() < 0.06
    # nothing of what counts as erased changes
    assert torch.equal(apart[APPAREL][~kept], other[~kept])


def test_every_sample_has_a_draw_of_its_own() -> None:
    batch = example_batch(6, SIZE)
    changed = change("brightness", batch)
    factors = [
        float((new[mask] / old[mask]).median())
        for new, old, mask in zip(changed[BODY], batch[BODY], person(batch), strict=True)
    ]
    assert len({round(factor, 4) for factor in factors}) == 6
    assert all(0.8 <= factor <= 1.2 for factor in factors)


@pytest.mark.parametrize("name", ALL_OVER)
def test_a_labeled_photo_changes_as_a_whole_and_its_labels_stay(name: str) -> None:
    random = np.random.default_rng(0)
    fields = {
        IMAGE: Field(ImageType(fill=None), random.integers(60, 200, (*SIZE, 3), np.uint8)),
        LABELS: Field(LabelMapType(4), random.integers(0, 4, SIZE).astype(np.uint8)),
    }
    batch = collate([Sample("a", fields)])
    changed = change(name, batch)
    assert torch.equal(changed[LABELS], batch[LABELS])
    moved = (changed[IMAGE] != batch[IMAGE]).any(dim=1)
    assert moved.float().mean() > 0.98
    if name == "brightness":
        ratio = changed[IMAGE] / batch[IMAGE]
        torch.testing.assert_close(ratio, ratio[:, :, :1, :1].expand_as(ratio))
