from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab
from torch import Tensor

from skinfw.components.field_names import APPAREL, FACE, SKIN
from skinfw.interfaces import LossContext, LossIO
from skinfw.pipeline import Pipeline
from skinfw.testing import example_context
from skinfw_plugins.losses.color import ColorLoss
from skinfw_plugins.losses.config import ColorConfig, ToneConsistencyConfig
from skinfw_plugins.losses.tone_consistency import ToneConsistencyLoss

SIZE = (12, 10)


def color(**fields: Any) -> ColorLoss:
    return ColorLoss(ColorConfig.model_validate(fields), LossIO(SIZE))


def tone(**fields: Any) -> ToneConsistencyLoss:
    return ToneConsistencyLoss(ToneConsistencyConfig.model_validate(fields), LossIO(SIZE))


def make_context(batch: int = 2) -> LossContext:
    generator = torch.Generator().manual_seed(0)
    output, target, images = (0.9 * torch.rand(batch, 3, *SIZE, generator=generator) for _ in range(3))
    skin = torch.zeros(batch, 1, *SIZE)
    skin[:, :, 6:, 2:8] = 1
    face = torch.zeros(batch, 1, *SIZE)
    face[:, :, :3, 3:6] = 1
    images[:, :, 3:] = 1  # erased
    return example_context(output, target, apparel_head_foot=images, segmentation_skin=skin, face=face)


def first(example: LossContext) -> LossContext:
    """The first sample alone."""
    fields = {name: field[:1] for name, field in example.fields.items()}
    return replace(example, output=example.output[:1], target=example.target[:1], fields=fields)


def lab_pixels(image: Tensor, region: Tensor) -> np.ndarray:
    """The region's colors in scikit-image's Lab, divided by 100, one a row."""
    return rgb2lab(image.permute(1, 2, 0).double().numpy())[region[0].numpy() > 0.5] / 100  # type: ignore[no-any-return]


@pytest.mark.parametrize(("region", "covariance"), [("skin", 0), ("skin", 1), ("image", 2.5)])
def test_color_equals_means_and_covariances_of_numpy(region: str, covariance: float) -> None:
    example = make_context()
    skin = example.fields[SKIN]
    chosen = skin if region == "skin" else torch.ones_like(skin)
    expected = []
    for output, target, mask in zip(example.output, example.target, chosen, strict=True):
        painted, true = lab_pixels(output, mask), lab_pixels(target, mask)
        means = np.abs(painted.mean(axis=0) - true.mean(axis=0)).mean()
        spreads = np.abs(np.cov(painted.T, bias=True) - np.cov(true.T, bias=True)).mean()
        expected.append(means + covariance * spreads)
    term = color(region=region, covariance=covariance).generator_loss(example)
    assert term.item() == pytest.approx(np.mean(expected), rel=1e-3)


def test_color_does_not_ask_where_a_color_is() -> None:
    example = make_context(1)
    turned = example.target.clone()
    turned[..., 6:, 2:8] = example.target[..., 6:, 2:8].flip(-1, -2)
    context = replace(example, output=turned)
    assert color().generator_loss(context).item() == pytest.approx(0, abs=1e-6)


def test_an_image_without_skin_counts_nothing_in_color() -> None:
    example = make_context()
    example.fields[SKIN][1] = 0
    alone = first(example)
    half = color().generator_loss(alone).item() / 2
    assert color().generator_loss(example).item() == pytest.approx(half, rel=1e-5)


def face_pixels(example: LossContext, index: int) -> Tensor:
    """The visible face's RGB values, ``(3, n)``."""
    return example.fields[APPAREL][index, :, :3, 3:6].flatten(1)


@pytest.mark.parametrize(("lightness", "covariance"), [(1, 0), (0, 0), (0.5, 2)])
def test_tone_is_the_distance_of_the_mean_from_the_faces_median(lightness: float, covariance: float) -> None:
    example = make_context()
    weights = np.array([lightness, 1, 1])
    expected = []
    for index in range(2):
        pixels = face_pixels(example, index).double().numpy()
        rounded = np.round(np.median(pixels, axis=1) * 255) / 255  # as files are
        median = rgb2lab(rounded[None, None])[0, 0] / 100
        painted = lab_pixels(example.output[index], example.fields[SKIN][index])
        face = rgb2lab(pixels.T[None])[0] / 100
        spread = np.abs(np.cov(painted.T, bias=True) - np.cov(face.T, bias=True)) * np.outer(weights, weights)
        means = (np.abs(painted.mean(axis=0) - median) * weights).mean()
        expected.append(means + covariance * spread.mean())
    term = tone(lightness=lightness, covariance=covariance).generator_loss(example)
    assert term.item() == pytest.approx(np.mean(expected), rel=1e-3)


def test_skin_in_the_faces_color_costs_nothing() -> None:
    example = make_context()
    medians = torch.stack([face_pixels(example, index).median(dim=1).values for index in range(2)])
    tones = (medians * 255).round() / 255  # as files are
    painted = torch.where(example.fields[SKIN] > 0.5, tones[:, :, None, None], example.output)
    context = replace(example, output=painted)
    assert tone().generator_loss(context).item() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("missing", ["face", "skin"])
def test_an_image_without_face_or_skin_counts_nothing_and_gets_no_gradient(missing: str) -> None:
    example = make_context()
    half = tone().generator_loss(first(example)).item() / 2
    if missing == "face":
        example.fields[FACE][1] = 0
    else:
        example.fields[SKIN][1] = 0
    example.output.requires_grad_()
    term = tone(covariance=0).generator_loss(example)
    term.backward()
    assert term.item() == pytest.approx(half, rel=1e-5)
    assert example.output.grad is not None
    assert example.output.grad[0].any()
    assert not example.output.grad[1].any()


@pytest.mark.parametrize("loss", [color(), tone(covariance=1)])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_gradients_are_finite_at_black_and_white(loss: Any, value: float) -> None:
    example = make_context()
    output = torch.full((2, 3, *SIZE), value, requires_grad=True)
    loss.generator_loss(replace(example, output=output)).backward()
    assert output.grad is not None
    assert torch.isfinite(output.grad).all()
    assert output.grad.any()


def test_tone_trains_on_samples_whose_generator_does_not_see_the_face(
    tiny_spec: Callable[..., Any], tmp_path: Path
) -> None:
    spec = tiny_spec(losses=["tone_consistency", "color", "total_variation"], baselines=[])
    spec.pop("discriminator")
    spec["training"] |= {"epochs": None, "steps": 2}
    run = Pipeline(spec, output=tmp_path / "run").fit().run
    last = [record for record in run.read_log() if record["event"] == "step"][-1]
    assert set(last["losses"]) == {"tone_consistency", "color", "total_variation"}
    assert all(value > 0 for value in last["losses"].values())


def test_tone_has_no_region_but_the_skin() -> None:
    with pytest.raises(ValueError, match="skin"):
        ToneConsistencyConfig.model_validate({"region": "image"})
