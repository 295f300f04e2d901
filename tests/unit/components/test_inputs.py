from __future__ import annotations

from typing import Any

import pytest
import torch

from skinfw.assembly.assemble import (
    build_dataset,
    build_discriminator,
    build_generator,
    build_training_dataset,
)
from skinfw.components.inputs import INPUTS, channels_of
from skinfw.data.batch import collate
from skinfw.interfaces import GeneratorIO
from skinfw.specs.spec import parse_spec


def test_channels_of_the_inputs() -> None:
    assert {name: channels_of(name) for name in INPUTS} == {
        "apparel_head_foot": 3,
        "line": 3,
        "segmentation_skin": 3,
        "face": 3,
        "heatmaps": 25,
    }


def test_a_condition_with_heat_maps_is_told_apart() -> None:
    io = GeneratorIO((32, 32), ("apparel_head_foot", "heatmaps", "segmentation_skin"))
    assert io.condition_channels == 31
    places = [io.channels_of(name) for name in io.inputs]
    assert places == [slice(0, 3), slice(3, 28), slice(28, 31)]


@pytest.mark.parametrize("generator", ["pix2pix", "gated_unet"])
def test_networks_see_all_channels(tiny_spec: Any, generator: str) -> None:
    value = tiny_spec(generator={"type": generator, "base_channels": 4})
    value["data"]["inputs"] = ["apparel_head_foot", "heatmaps", "segmentation_skin"]
    spec = parse_spec(value)
    dataset = build_dataset(spec)
    batch = collate([dataset.load(name) for name in dataset.names()[:2]])
    condition = batch.condition(spec.data.inputs)
    assert condition.shape == (2, 31, 32, 32) and condition.min() >= 0 and condition.max() == 1
    assert build_generator(spec).eval()(condition).shape == (2, 3, 32, 32)
    discriminator = build_discriminator(spec)
    assert discriminator is not None and discriminator.io.condition_channels == 31
    assert torch.isfinite(discriminator(batch.target, condition).logits[0]).all()


@pytest.mark.parametrize("inputs", [["apparel_head_foot", "heatmaps"], ["apparel_head_foot", "line"]])
def test_moving_a_drawn_pose_needs_keypoints(tiny_spec: Any, inputs: list[str]) -> None:
    for augmentations, needed in ((["flip"], True), (["brightness"], False)):
        value = tiny_spec(augmentations=augmentations, composite="none")
        value["data"]["inputs"] = inputs
        assert build_training_dataset(parse_spec(value)).io.needs_keypoints is needed
