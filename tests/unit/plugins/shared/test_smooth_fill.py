from __future__ import annotations

import torch

from skinfw_plugins.shared.smooth_fill import fill_smoothly


def ramp(width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a gradient from left to right, and a region in its middle."""
    images = torch.linspace(0, 1, 60).expand(1, 3, 50, 60)
    region = torch.zeros(1, 1, 50, 60, dtype=torch.bool)
    region[..., 10:40, 30 - width // 2 : 30 + width // 2] = True
    return images, region


def test_a_gradient_is_continued_and_the_rest_stays() -> None:
    for width, tolerance in ((2, 0.02), (8, 0.05), (24, 0.1)):
        images, region = ramp(width)
        filled = fill_smoothly(torch.where(region, 5.0, images), region)
        assert torch.equal(filled[~region.expand_as(filled)], images[~region.expand_as(images)])
        assert (filled - images).abs().max() < tolerance


def test_far_from_everything_it_is_the_mean_and_white_without_any_pixel() -> None:
    region = torch.zeros(1, 1, 200, 200, dtype=torch.bool)
    region[..., 10:190, 10:190] = True
    images = torch.full((1, 3, 200, 200), 0.3)
    assert torch.allclose(fill_smoothly(images, region), images)
    assert torch.equal(fill_smoothly(images, torch.ones_like(region)), torch.ones_like(images))


def test_each_image_is_filled_from_itself_and_in_half_precision() -> None:
    images = torch.stack([torch.full((3, 9, 7), 0.25), torch.full((3, 9, 7), 0.75)])
    region = torch.zeros(2, 1, 9, 7, dtype=torch.bool)
    region[:, :, 2:7, 2:5] = True
    assert torch.allclose(fill_smoothly(torch.where(region, 0.0, images), region), images)
    half = fill_smoothly(torch.where(region, 0.0, images).half(), region)
    assert torch.allclose(half.float(), images, atol=1e-3)
