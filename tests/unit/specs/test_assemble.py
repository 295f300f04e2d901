from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from skinfw.assembly.assemble import build_augmentations, build_dataset, build_training_dataset
from skinfw.specs.spec import parse_spec

MakeSpec = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("augmentations", "inputs", "more", "keypoints"),
    [
        ([], ("apparel_head_foot", "line"), (), False),
        (["brightness"], ("apparel_head_foot", "line"), (), False),
        (["brightness", "flip"], ("apparel_head_foot", "line"), (), True),
        # without a drawn pose nothing has to be drawn again
        (["flip"], ("apparel_head_foot",), (), False),
        (["skin_tone"], ("apparel_head_foot",), ("face",), False),
        (["skin_tone", "affine"], ("apparel_head_foot", "line", "face"), (), True),
    ],
)
def test_training_samples_bring_what_augmentations_need(
    tiny_spec: MakeSpec,
    augmentations: list[str],
    inputs: tuple[str, ...],
    more: tuple[str, ...],
    keypoints: bool,
) -> None:
    value = tiny_spec(augmentations=augmentations, composite="none")
    value["data"]["inputs"] = inputs
    spec = parse_spec(value)
    io = build_training_dataset(spec).io
    assert (io.inputs, io.needs_keypoints) == ((*inputs, *more), keypoints)
    assert (build_dataset(spec).io.inputs, build_dataset(spec).io.needs_keypoints) == (inputs, False)


def test_augmentations_are_built_in_the_order_of_the_spec(tiny_spec: MakeSpec) -> None:
    value = tiny_spec(augmentations=["hue", {"type": "crop", "side": [0.5, 0.6]}, "hue"])
    found = build_augmentations(parse_spec(value))
    assert [type(each).__name__ for each in found] == [
        "HueAugmentation",
        "CropAugmentation",
        "HueAugmentation",
    ]
    assert found[1].config.side == (0.5, 0.6)
    assert found[1].io.size == (32, 32)
