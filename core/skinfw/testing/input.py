"""The contract of inputs."""

from __future__ import annotations

from typing import Any

import torch

from skinfw.components.config import InputConfig, Size
from skinfw.data.batch import collate
from skinfw.data.field_types import DrawnType, MaskType
from skinfw.data.parts import SampleParts
from skinfw.data.sample import Sample, resized
from skinfw.interfaces import Input
from skinfw.testing._require import require, require_finite
from skinfw.testing.examples import example_parts


def check_input(
    component: type[Input[Any]],
    config: InputConfig,
    parts: SampleParts | None = None,
    size: Size = (48, 32),
) -> None:
    """Check an input against its interface.

    It checks that reading is repeatable, that the field can be resized, that networks see the configured
    number of channels in [0, 1], and that ``is_mask`` and ``shows_pose`` match the type of the field.

    Args:
        component: the class.
        config: its configuration.
        parts: a sample with everything that the input needs, for instance
            ``skinfw.data.sample_folder.FolderParts(folder)``; None for a drawn person.
        size: height and width in pixels to resize to.

    Raises:
        AssertionError: the contract is violated; the message says how.
    """
    parts = example_parts((64, 48)) if parts is None else parts
    built = component(config, None)
    require(bool(component.missing), "missing is empty; it must say what a sample lacks, and what to do")
    field, again = built.read(parts), built.read(parts)
    if field is None or again is None:
        raise AssertionError("read returns None for a sample that should have what the input needs")
    is_mask, is_drawn = isinstance(field.type, MaskType), isinstance(field.type, DrawnType)
    require(
        is_mask == config.is_mask, f"is_mask is {config.is_mask}, but the type is {type(field.type).__name__}"
    )
    require(
        is_drawn == config.shows_pose,
        f"shows_pose is {config.shows_pose}, but the type is {type(field.type).__name__}",
    )
    conditions = [
        collate([Sample("one", resized({"it": each}, parts.size, size))]).condition(["it"])
        for each in (field, again)
    ]
    require(torch.equal(*conditions), "read returns another value the second time")
    expected = (1, config.channels, *size)
    require(
        tuple(conditions[0].shape) == expected,
        f"networks see the shape {tuple(conditions[0].shape)}, not {expected} as the configuration says",
    )
    require_finite(conditions[0], "the condition")
    inside = bool(((conditions[0] >= 0) & (conditions[0] <= 1)).all())
    require(inside, "the condition leaves [0, 1]")
