from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from skinfw.errors import SpecError
from skinfw.specs.spec import Spec, parse_spec

MakeSpec = Callable[..., dict[str, Any]]


@pytest.fixture
def value(tiny_spec: MakeSpec) -> dict[str, Any]:
    """Return the JSON value of a valid spec with alpha."""
    spec = tiny_spec(
        generator={"type": "pix2pix", "output": "rgba"},
        composite="mask",
        losses=["l1", "alpha_dice"],
        discriminator=None,
    )
    del spec["metrics"]
    spec["data"] |= {"inputs": ["apparel_head_foot", "line", "mask"], "garment_margin": [0.0, 0.1]}
    return spec


def test_metrics_and_baselines_of_a_spec_with_alpha(value: dict[str, Any]) -> None:
    spec = parse_spec(value)
    assert isinstance(spec, Spec)
    assert spec.data.garment_margin == (0.0, 0.1)
    assert [each.name for each in spec.metrics] == ["alpha_iou", "psnr", "ssim", "mse", "tone_bias"]
    assert [each.name for each in spec.baselines] == ["limbs"]
    assert parse_spec(spec.to_json()) == spec
    value["generator"], value["losses"] = "pix2pix", ["l1"]
    plain = parse_spec(value)
    assert isinstance(plain, Spec)
    assert [each.name for each in plain.metrics] == ["psnr", "ssim", "mse", "tone_bias"]
    assert [each.name for each in plain.baselines] == ["opencv_inpaint", "mean_color"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            {"data.inputs": ["apparel_head_foot", "mask", "segmentation_skin", "hands"]},
            "$.data.inputs: segmentation_skin shows the skin that the generator's alpha has to find",
        ),
        ({"data.inputs": ["apparel_head_foot"]}, "$.data.inputs: the generator 'pix2pix' needs mask"),
        ({"composite": "skin"}, "$.composite: 'pix2pix' gives an alpha, which needs the composite \"mask\""),
        ({"composite": "none"}, "$.composite: 'pix2pix' gives an alpha"),
        ({"baselines": ["limbs", "mean_color"]}, "$.baselines[1]: 'mean_color' sees the skin"),
        ({"generator": "pix2pix"}, "$.losses[1]: 'alpha_dice' needs a generator with alpha; 'pix2pix' gives"),
        (
            {"generator": "pix2pix", "losses": ["l1"], "metrics": ["alpha_iou"]},
            "$.metrics[0]: 'alpha_iou' needs a generator with alpha",
        ),
        ({"data.garment_margin": [0.2, 0.1]}, "$.data.garment_margin: the minimum must come first"),
        ({"data.garment_margin": [0.2, 0.7]}, "$.data.garment_margin[1]: must be at most 0.5"),
    ],
)
def test_what_does_not_fit_is_rejected(value: dict[str, Any], change: dict[str, Any], fault: str) -> None:
    for path, new in change.items():
        *parents, key = path.split(".")
        place = value[parents[0]] if parents else value
        place[key] = new
    with pytest.raises(SpecError) as caught:
        parse_spec(value)
    assert fault in str(caught.value)
    assert "default factory" not in str(caught.value)


def test_the_default_composite_does_not_fit_either(value: dict[str, Any]) -> None:
    del value["composite"]
    with pytest.raises(SpecError, match="composite"):
        parse_spec(value)


def test_two_stages_with_alpha_are_valid(value: dict[str, Any]) -> None:
    refiner = {"type": "pix2pix", "base_channels": 4, "output": "rgba"}
    value["generator"] = {"type": "two_stage", "coarse": "limbs", "refiner": refiner}
    value["data"]["inputs"] = ["apparel_head_foot", "line", "face", "mask", "heatmaps"]
    assert isinstance(parse_spec(value), Spec)
