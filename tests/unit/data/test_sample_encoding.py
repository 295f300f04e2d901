"""Samples as bytes: whatever a field is, it comes back exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from skinfw.components.field_names import KEYPOINTS
from skinfw.data.field_types import Field, FieldType
from skinfw.data.keypoints import Keypoints
from skinfw.data.pixel_types import ImageType, KeepType, LabelMapType, MaskType
from skinfw.data.pose_types import HeatMapsType, KeypointsType, PoseMapType
from skinfw.data.sample import Sample
from skinfw.data.sample_encoding import encoding_of, header_of, intact


@dataclass(frozen=True)
class DepthType(MaskType):
    """A plugin's type, of other numbers."""

    unit: str = "m"


def random_fields(seed: int) -> dict[str, Field]:
    """Draw a field of every type, of an odd size, with the values at the ends of their range."""
    random = np.random.default_rng(seed)
    size = tuple(random.integers(1, 40, 2).tolist())
    image = random.integers(0, 256, (*size, 3), np.uint8)
    mask = random.random(size) < 0.5
    points = random.normal(0, 1e4, (25, 3)).astype(np.float32)
    depth = random.normal(0, 1, size)
    depth.flat[0] = np.nan
    swap = tuple(reversed(range(7)))
    found = {
        "image": Field(ImageType(fill=None), image),
        "body": Field(ImageType(divided_by="keep", cut_from="é\n"), image[::-1, :, ::-1]),
        "keep": Field(KeepType(), mask),
        "mask": Field(MaskType(inside="keep"), ~mask[:, ::-1]),
        "labels": Field(LabelMapType(7, swap), random.integers(0, 256, size, np.uint8)),
        KEYPOINTS: Field(KeypointsType(), Keypoints(points)),
        "line": Field(PoseMapType("lines"), image),
        "heatmaps": Field(HeatMapsType(), random.integers(0, 256, (*size, 25), np.uint8)),
        "depth": Field(DepthType(unit="mm"), depth),
        "scalar": Field(DepthType(), np.array(-(2**62))),
        "empty": Field(DepthType(), np.zeros((0, 3), ">u2")),
    }
    names = list(found)
    random.shuffle(names)
    return {name: found[name] for name in names}


def bits(value: Any) -> tuple[str, tuple[int, ...], bytes]:
    array = value.points if isinstance(value, Keypoints) else value
    return array.dtype.str, array.shape, array.tobytes()


@pytest.mark.parametrize("seed", range(20))
def test_every_type_of_field_comes_back_bit_for_bit(seed: int) -> None:
    sample = Sample(f"anna/{seed}", random_fields(seed), (seed, 7) if seed else None)
    encoding = encoding_of(sample)
    assert encoding is not None and encoding.fits(sample)
    data = encoding.encode(sample)
    assert intact(data) and header_of(data) == encoding.header
    found = encoding.decode(sample.name, data)
    assert (found.name, found.source_size) == (sample.name, sample.source_size)
    assert list(found.fields) == list(sample.fields)
    for name, field in sample.fields.items():
        other = found.fields[name]
        assert other.type is field.type and type(other.value) is type(field.value)
        assert bits(other.value) == bits(field.value), name


def test_nothing_is_missing_from_the_test_above() -> None:
    def kinds(base: type) -> set[type]:
        return {base}.union(*(kinds(each) for each in base.__subclasses__()))

    core = {each for each in kinds(FieldType) if each.__module__.startswith("skinfw.")}
    concrete = {each for each in core if not getattr(each, "__abstractmethods__", None)}
    assert concrete == {type(field.type) for field in random_fields(0).values()} - {DepthType}


@pytest.mark.parametrize("place", [0, 9, 300, -30, -1])
def test_damaged_bytes_are_noticed(place: int) -> None:
    sample = Sample("anna", random_fields(0))
    encoding = encoding_of(sample)
    assert encoding is not None
    data = bytearray(encoding.encode(sample))
    data[place] ^= 1
    assert not intact(bytes(data))


@pytest.mark.parametrize("length", [0, 3, 4, 8, 12, 500, -1])
def test_incomplete_bytes_are_noticed(length: int) -> None:
    sample = Sample("anna", random_fields(0))
    encoding = encoding_of(sample)
    assert encoding is not None
    assert not intact(encoding.encode(sample)[:length])
    assert not intact(bytes(1000))


def test_other_types_shapes_and_orders_have_other_headers() -> None:
    pixels = np.zeros((2, 3), bool)
    samples = [
        {"a": Field(MaskType(), pixels)},
        {"b": Field(MaskType(), pixels)},
        {"a": Field(MaskType(inside="b"), pixels)},
        {"a": Field(KeepType(), pixels)},
        {"a": Field(MaskType(), pixels.T)},
        {"a": Field(MaskType(), pixels.astype(np.uint8))},
        {"a": Field(MaskType(), pixels), "b": Field(MaskType(), pixels)},
        {"b": Field(MaskType(), pixels), "a": Field(MaskType(), pixels)},
    ]
    encodings = [encoding_of(Sample("anna", each)) for each in samples]
    assert len({each.header for each in encodings if each}) == len(samples)
    fitting = [
        [each is not None and each.fits(Sample("anna", fields)) for each in encodings] for fields in samples
    ]
    assert np.array_equal(fitting, np.eye(len(samples), dtype=bool))


class HandmadeType(FieldType):
    """A type that does not say its parameters."""

    interpolation = "nearest"

    def resize(self, value: Any, around: Any) -> Any:
        return value

    def tensor(self, values: Sequence[Any]) -> torch.Tensor:
        return torch.zeros(len(values))

    def condition(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor

    def show(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor


@pytest.mark.parametrize(
    "field",
    [
        Field(HandmadeType(), np.zeros((2, 2))),
        Field(MaskType(), "text"),
        Field(MaskType(), np.array([{}], object)),
        Field(MaskType(), np.zeros(2, [("a", "u1")])),
    ],
    ids=["parameters", "text", "objects", "records"],
)
def test_what_is_not_numbers_of_a_known_type_cannot_be_written(field: Field) -> None:
    assert (
        encoding_of(Sample("anna", {"mask": Field(MaskType(), np.zeros((2, 2), bool)), "own": field})) is None
    )
