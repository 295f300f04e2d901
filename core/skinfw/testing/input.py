"""The contract of inputs."""

from __future__ import annotations

from typing import Any

import torch

from skinfw.components.config import InputConfig, Size
from skinfw.components.field_names import APPAREL, KEEP
from skinfw.data.batch import Batch, collate
from skinfw.data.field_types import Field
from skinfw.data.parts import SampleParts
from skinfw.data.pixel_types import APPAREL_TYPE, KEEP_TYPE, MaskType
from skinfw.data.pose_types import DrawnType
from skinfw.data.sample import Sample, resized
from skinfw.data.transform import mirrored, warped
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

    Checked are that it reads the same field twice; that the field can be resized, shown, mirrored and moved;
    that networks see as many channels in [0, 1] as the configuration says; and that ``is_mask`` and
    ``shows_pose`` fit the type of the field.

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
    batches = [_batch(each, parts, size) for each in (field, again)]
    conditions = [batch.condition(["it"]) for batch in batches]
    require(torch.equal(*conditions), "read gives another value the second time")
    expected = (1, config.channels, *size)
    require(
        tuple(conditions[0].shape) == expected,
        f"networks see the shape {tuple(conditions[0].shape)}, not {expected} as the configuration says",
    )
    require_finite(conditions[0], "the condition")
    inside = bool(((conditions[0] >= 0) & (conditions[0] <= 1)).all())
    require(inside, "the condition leaves [0, 1]")
    shown = tuple(batches[0].show("it").shape)
    require(shown == (1, 3, *size), f"show returns the shape {shown}, not that of an RGB image")
    if not is_drawn:
        there_and_back = mirrored(mirrored(batches[0]))
        require(torch.equal(there_and_back["it"], batches[0]["it"]), "mirrored twice it is another value")
        still = warped(batches[0], torch.eye(3)[None])
        close = bool(torch.allclose(still["it"].float(), batches[0]["it"].float(), atol=1e-4))
        require(close, "moved by nothing it is another value")


def _batch(field: Field, parts: SampleParts, size: Size) -> Batch:
    """Return the field beside those that every sample has and that types may need."""
    fields = {
        KEEP: Field(KEEP_TYPE, parts.keep),
        APPAREL: Field(APPAREL_TYPE, parts.apparel),
        "it": field,
    }
    return collate([Sample("one", resized(fields, parts.size, size))])
