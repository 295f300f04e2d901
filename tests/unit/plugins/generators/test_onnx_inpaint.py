from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnx_models import write_copy, write_mean_fill
from pydantic import ValidationError

from skinfw.data.pixel_types import image_tensor, mask_tensor
from skinfw.errors import UserError
from skinfw.testing import example_generator_io
from skinfw_plugins.generators.config_others import OnnxConfig
from skinfw_plugins.generators.onnx_inpaint import OnnxGenerator

INPUTS = ("apparel_head_foot", "mask")
SIZE = (16, 24)


def build(path: Path, given: tuple[str, ...] = INPUTS, **fields: Any) -> OnnxGenerator:
    return OnnxGenerator(
        OnnxConfig.model_validate({"path": path, **fields}), example_generator_io(SIZE, given)
    )


def example(flat: bool = False) -> tuple[np.ndarray, np.ndarray, torch.Tensor]:
    """An image with a white hole, the hole, and the condition."""
    image = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    if flat:
        image[:] = (200, 120, 40)
    hole = np.zeros(SIZE, bool)
    hole[4:9, 6:16] = True
    image[hole] = 255
    return image, hole, torch.cat([image_tensor([image]), mask_tensor([hole]).expand(-1, 3, -1, -1)], dim=1)


@pytest.mark.parametrize(
    ("form", "table"),
    [
        ({}, {}),
        ({"channels_last": True, "white": 255, "eight_bits": True}, {}),
        ({"white": 255}, {"output_range": [0, 255]}),
        ({"size": SIZE}, {"output": "inpainted"}),
        (
            {"hole": 0},
            {"inputs": {"image": {"input": "apparel_head_foot"}, "mask": {"input": "mask", "range": [1, 0]}}},
        ),
    ],
)
def test_a_network_gets_the_image_and_the_hole_in_its_own_form(
    tmp_path: Path, form: dict[str, Any], table: dict[str, Any]
) -> None:
    image, hole, condition = example()
    painted = build(write_mean_fill(tmp_path / "mean.onnx", **form), **table)(condition)
    found = painted[0].permute(1, 2, 0).numpy() * 255
    assert np.array_equal(np.rint(found[~hole]), image[~hole])
    assert np.abs(found[hole] - image[~hole].mean(axis=0)).max() <= 0.51


@pytest.mark.parametrize("size", [(64, 64), (13, 40)])
def test_an_image_of_another_size_is_fitted_without_squashing(tmp_path: Path, size: tuple[int, int]) -> None:
    """Neither the padding nor the hole's white border flows in."""
    _, hole, condition = example(flat=True)
    fill = build(write_mean_fill(tmp_path / "lama.onnx", size, white=255), output_range=[0, 255])
    painted = fill(condition)[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(painted[hole] - (200, 120, 40)).max() <= 1
    # what the network sees at a place comes back at that place
    ramp = np.indices(SIZE).transpose(1, 2, 0) * 8
    line = np.dstack([ramp, ramp[..., :1]]).astype(np.uint8)
    copy = build(
        write_copy(tmp_path / "copy.onnx", size),
        (*INPUTS, "line"),
        inputs={"image": {"input": "line"}},
    )
    condition = torch.cat([condition, image_tensor([line])], dim=1)
    painted = copy(condition)[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(painted[hole] - line[hole]).max() <= 6


def test_a_dark_image_is_as_good_as_any(tmp_path: Path) -> None:
    _, _, condition = example()
    condition[:, :3] = 0
    for form, table in (
        ({}, {}),
        ({"white": 255}, {"output_range": [0, 255]}),
        ({"eight_bits": True, "white": 255}, {}),
    ):
        assert not build(write_mean_fill(tmp_path / "mean.onnx", **form), **table)(condition).any()


@pytest.mark.parametrize("limits", [[-1, 1], [0, 300]])
def test_a_range_that_the_type_cannot_hold_is_rejected(tmp_path: Path, limits: list[int]) -> None:
    path = write_mean_fill(tmp_path / "mean.onnx", eight_bits=True, white=255)
    table = {"image": {"input": "apparel_head_foot"}, "mask": {"input": "mask", "range": limits}}
    with pytest.raises(UserError, match=r"its input mask takes uint8, which cannot hold"):
        build(path, inputs=table)(example()[2])


def test_sides_that_are_free_are_padded_to_a_multiple(tmp_path: Path) -> None:
    fill = build(write_mean_fill(tmp_path / "mean.onnx"), multiple_of=10)
    assert fill._frame(SIZE).canvas == (20, 30)
    _, hole, condition = example(flat=True)
    painted = fill(condition)[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(painted[hole] - (200, 120, 40)).max() <= 1


def test_images_of_a_batch_are_filled_one_by_one(tmp_path: Path) -> None:
    _, _, condition = example()
    two = torch.cat([condition, condition.flip(3)])
    painted = build(write_mean_fill(tmp_path / "mean.onnx"))(two)
    assert torch.equal(painted[0], painted[1].flip(2))


@pytest.mark.parametrize(
    ("form", "table", "message"),
    [
        ({"white": 255}, {}, r"black as 0 and white as 1 do not fit, but \[0, 255\] does: set output_range"),
        ({}, {"output_range": [0, 255]}, r"white as 255 do not fit, but \[0, 1\] does"),
        ({}, {"output_range": [-1, 1]}, r"black as -1 and white as 1 do not fit, but \[0, 1\] does"),
        ({}, {"output": "image2"}, r"has no output named image2 \(it has: inpainted\)"),
        ({}, {"inputs": {"image": {"input": "apparel_head_foot"}}}, "which are image 1x3x.*, mask 1x1x"),
        (
            {},
            {"inputs": {"image": {"input": "apparel_head_foot"}, "mask": {"input": "apparel_head_foot"}}},
            "its input mask has the shape 1x1x.*does not fit apparel_head_foot with 3 channels",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_the_reason(
    tmp_path: Path, form: dict[str, Any], table: dict[str, Any], message: str
) -> None:
    fill = build(write_mean_fill(tmp_path / "mean.onnx", **form), **table)
    with pytest.raises(UserError, match=message):
        fill(example()[2])


def test_a_file_with_another_number_of_inputs_needs_a_table(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not take one image and one mask; it has the inputs image 1x3"):
        build(write_copy(tmp_path / "copy.onnx", SIZE))(example()[2])
    with pytest.raises(UserError, match="no such ONNX file"):
        build(tmp_path / "none.onnx")(example()[2])


def test_black_and_white_must_differ(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="black and white must differ"):
        build(tmp_path / "x.onnx", output_range=[1, 1])


def test_its_fingerprint_is_that_of_the_file(tmp_path: Path) -> None:
    one = write_mean_fill(tmp_path / "one.onnx")
    other = write_mean_fill(tmp_path / "other.onnx", white=255)
    assert build(one).fingerprint() != build(other).fingerprint()
    assert build(one).fingerprint() == build(one).fingerprint()
