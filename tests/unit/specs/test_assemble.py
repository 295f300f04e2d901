from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from skinfw.assembly.assemble import build_augmentations, build_dataset, build_training_dataset
from skinfw.components.field_names import SKIN
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
    assert (tuple(io.inputs), io.needs_keypoints) == ((*inputs, *more), keypoints)
    io = build_dataset(spec).io
    assert (tuple(io.inputs), io.needs_keypoints) == (inputs, False)


BOTH = ("apparel_head_foot", "line")


@pytest.mark.parametrize(
    ("fields", "required", "optional"),
    [
        ({"composite": "none"}, BOTH, ()),
        ({"composite": "mask"}, BOTH, ()),
        ({"composite": "skin"}, (*BOTH, SKIN), ()),
        # a loss needs its region, a metric leaves out what has none
        ({"losses": [{"type": "l1", "region": "hands"}]}, (*BOTH, "hands"), ()),
        ({"losses": [{"type": "l1", "region": "skin"}]}, (*BOTH, SKIN), ()),
        ({"metrics": [{"type": "mse", "regions": ["image", "arms", "skin"]}]}, BOTH, ("arms", SKIN)),
        (
            {
                "losses": [{"type": "l1", "region": "face"}],
                "metrics": [{"type": "mse", "regions": ["face", "mask"]}],
            },
            (*BOTH, "face"),
            ("mask",),
        ),
    ],
)
def test_samples_bring_the_regions_of_composite_losses_and_metrics(
    tiny_spec: MakeSpec, fields: dict[str, Any], required: tuple[str, ...], optional: tuple[str, ...]
) -> None:
    silent = {"composite": "none", "metrics": [{"type": "mse", "regions": ["image"]}]}
    value = tiny_spec(**{**silent, "losses": ["l1"], "discriminator": None, **fields})
    value["data"] = {**value["data"], "inputs": list(BOTH)}
    spec = parse_spec(value)
    io = build_dataset(spec).io
    assert (tuple(io.inputs), tuple(io.optional)) == (required, optional)
    # training samples do without the regions that only metrics use
    io = build_training_dataset(spec).io
    assert (tuple(io.inputs), tuple(io.optional)) == (required, ())


def test_the_margin_of_the_mask_reaches_the_data_set(tiny_spec: MakeSpec) -> None:
    value = tiny_spec()
    value["data"] = {**value["data"], "mask_margin": 3}
    assert build_dataset(parse_spec(value)).io.mask_margin == 3


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
