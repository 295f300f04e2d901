"""Builds the inputs of a spec. Light: imports no torch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from skinfw.assembly.build import build
from skinfw.components.field_names import FACE, SKIN
from skinfw.components.reference import use
from skinfw.interfaces import DatasetIO, Input
from skinfw.specs.spec import Spec


def build_inputs(spec: Spec, names: Iterable[str]) -> dict[str, Input[Any]]:
    """Build inputs by name: those in the spec as configured there, others with their defaults."""
    configured = {reference.name: reference for reference in spec.data.inputs}
    return {name: build(configured.get(name) or use("input", name), Input) for name in dict.fromkeys(names)}


def dataset_io(spec: Spec, inputs: Iterable[str], *, needs_keypoints: bool = False) -> DatasetIO:
    """Return what a data set must provide for inpainting: the inputs, and the masks of composite and losses.

    Args:
        spec: describes the data.
        inputs: names of inputs needed besides those of the generator.
        needs_keypoints: whether every sample must have keypoints.
    """
    composited = [SKIN] if spec.composite == "skin" else []
    names = dict.fromkeys([*spec.data.input_names, *inputs, *composited])
    # masks that grow must not cover the face, whoever else needs it
    spared = [FACE] if spec.data.garment_margin is not None and FACE not in names else []
    return DatasetIO(
        spec.data.size,
        build_inputs(spec, names),
        optional=build_inputs(spec, spared),
        needs_keypoints=needs_keypoints,
        mask_margin=spec.data.mask_margin,
    )


def input_channels(spec: Spec, names: Iterable[str]) -> dict[str, int]:
    """Return how many channels of a condition each of the named inputs has."""
    return {name: each.config.channels for name, each in build_inputs(spec, names).items()}
