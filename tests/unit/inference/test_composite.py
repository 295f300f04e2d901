from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from skinfw.components.field_names import KEEP, MASK, SKIN
from skinfw.data.batch import Batch
from skinfw.data.pixel_types import image_tensor
from skinfw.inference.composite import composite, composite_mask, to_uint8
from skinfw.inference.sample_writing import violations
from skinfw.specs.spec import Composite


def sample(size: tuple[int, int] = (12, 16)) -> Batch:
    """A skin region with kept pixels on its left and erased ones around it."""
    skin, keep, mask = (torch.zeros(1, 1, *size) for _ in range(3))
    skin[..., 4:8, 6:9] = 1
    keep[..., 3:9, 2:6] = 1
    mask[..., 3:9, 6:11] = 1
    return Batch(["a"], {SKIN: skin, KEEP: keep, MASK: mask}, {})


def test_none_paints_everything() -> None:
    assert torch.equal(composite_mask("none", sample()), torch.ones(1, 1, 12, 16))


def test_skin_paints_the_skin_region_only() -> None:
    assert torch.equal(composite_mask("skin", sample()), sample()[SKIN])


def test_mask_paints_the_inpainting_mask_only() -> None:
    batch = sample()
    painted = composite_mask("mask", batch)
    assert torch.equal(painted, batch[MASK]) and not torch.equal(painted, batch[SKIN])


def test_mask_and_skin_paint_what_is_marked_as_kept_too() -> None:
    batch = sample()
    both = batch.updated({KEEP: torch.ones_like(batch[KEEP])})
    modes: dict[Composite, str] = {"skin": SKIN, "mask": MASK}
    for mode, name in modes.items():
        assert torch.equal(composite_mask(mode, both), batch[name])


def test_protect_paints_all_but_kept_pixels_and_needs_neither_skin_nor_mask() -> None:
    keep = sample()[KEEP]
    assert torch.equal(composite_mask("protect", Batch(["a"], {KEEP: keep}, {})), 1 - keep)


def test_composite_takes_each_pixel_from_one_image_exactly() -> None:
    batch = sample()
    output, base = torch.rand(1, 3, 12, 16), torch.rand(1, 3, 12, 16)
    result = composite(output, base, composite_mask("skin", batch))
    inside = batch[SKIN].expand_as(output) > 0
    assert torch.equal(result[inside], output[inside])
    assert torch.equal(result[~inside], base[~inside])


def test_composite_keeps_pixels_even_where_the_generator_is_broken() -> None:
    batch = sample()
    output = torch.full((1, 3, 12, 16), float("nan"), requires_grad=True)
    base = torch.rand(1, 3, 12, 16)
    result = composite(output, base, composite_mask("protect", batch))
    keep = batch[KEEP].expand_as(base) > 0
    assert torch.equal(result[keep], base[keep])


def test_gradient_reaches_painted_pixels_only() -> None:
    batch = sample()
    output = torch.rand(1, 3, 12, 16, requires_grad=True)
    composite(output, torch.rand(1, 3, 12, 16), composite_mask("mask", batch)).sum().backward()
    assert output.grad is not None
    assert torch.equal(output.grad, batch[MASK].expand_as(output))


def test_all_256_values_survive_the_way_through_float() -> None:
    values = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    assert np.array_equal(to_uint8(image_tensor([values]))[0], values)


def test_to_uint8_rounds_clamps_and_puts_channels_last() -> None:
    image = torch.tensor([-0.1, 0.5, 1.2]).reshape(1, 3, 1, 1).requires_grad_()
    assert to_uint8(image).tolist() == [[[[0, 128, 255]]]]
    assert to_uint8(torch.zeros(2, 3, 4, 5, dtype=torch.bfloat16)).shape == (2, 4, 5, 3)


def test_kept_pixels_of_a_written_png_equal_the_input_bit_for_bit(tmp_path: Path) -> None:
    base = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    painted = composite_mask("mask", sample())
    written = to_uint8(composite(torch.rand(1, 3, 12, 16), image_tensor([base]), painted))[0]
    Image.fromarray(written).save(tmp_path / "image.png")
    read = np.asarray(Image.open(tmp_path / "image.png"))
    outside = painted[0, 0].numpy() == 0
    assert np.array_equal(read[outside], base[outside])
    assert violations(read, base, ~outside) == 0


def test_violations_count_changed_pixels_outside_the_painted_region() -> None:
    base = np.zeros((4, 5, 3), np.uint8)
    written = base.copy()
    painted = np.zeros((4, 5), bool)
    painted[0] = True
    written[0] = 9  # may change
    written[1, 1] = (1, 1, 1)  # one pixel, three channels
    written[2, 2, 1] = 255  # one pixel, one channel
    assert violations(written, base, painted) == 2
    assert violations(written, base, np.ones_like(painted)) == 0
