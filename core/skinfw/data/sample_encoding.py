"""Samples as bytes, for the cache: a header in JSON, the values as they are in memory, a checksum.

Neither NumPy's npz (1 ms to open) nor safetensors (no checksum) fits. No type is made from the bytes: they
are only read with the types of a sample that was loaded directly and has the same header.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from skinfw.data.field_types import Field, FieldType
from skinfw.data.keypoints import Keypoints
from skinfw.data.sample import Sample

FORMAT = 1
"""Version of the bytes."""

_LENGTH = 8
_SOURCE_SIZE = 16
_CHECKSUM = 4
_ALIGNMENT = 8
_KINDS = "biufc"
"""NumPy's kinds of numbers, which have no other meaning than their bytes."""


@dataclass(frozen=True)
class _Place:
    """Where the bytes of a sample hold a field, and what makes a field of them."""

    name: str
    type: FieldType
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    is_pose: bool


@dataclass(frozen=True)
class Encoding:
    """How samples of the same fields, types and shapes are written.

    Attributes:
        header: the first bytes of each, which describe the rest.
    """

    header: bytes
    _places: Sequence[_Place]
    _end: int

    def fits(self, sample: Sample) -> bool:
        """Return whether a sample has the same fields, types and shapes."""
        return len(sample.fields) == len(self._places) and all(
            each.name == name
            and (each.type is field.type or each.type == field.type)
            and isinstance(field.value, Keypoints) == each.is_pose
            and (each.dtype, each.shape) == ((array := _array(field)).dtype, array.shape)
            for each, (name, field) in zip(self._places, sample.fields.items(), strict=True)
        )

    def encode(self, sample: Sample) -> bytes | bytearray:
        """Return the bytes of a sample that fits."""
        data = bytearray(self._end + _CHECKSUM)
        data[: len(self.header)] = self.header
        np.frombuffer(data, np.int64, 2, len(self.header))[:] = sample.source_size or (0, 0)
        for each, field in zip(self._places, sample.fields.values(), strict=True):
            np.ndarray(each.shape, each.dtype, data, each.start)[...] = _array(field)
        content = memoryview(data)[: self._end]
        data[self._end :] = zlib.crc32(content).to_bytes(_CHECKSUM, "little")
        return data

    def decode(self, name: str, data: bytes | bytearray) -> Sample:
        """Return the sample of bytes that are `intact` and begin with the header.

        Its arrays are read-only.
        """
        source_height, source_width = np.frombuffer(data, np.int64, 2, len(self.header)).tolist()
        found = {}
        for each in self._places:
            value: Any = np.ndarray(each.shape, each.dtype, data, each.start)
            found[each.name] = Field(each.type, Keypoints(value) if each.is_pose else value)
        return Sample(name, found, (source_height, source_width) if source_height else None)


def encoding_of(sample: Sample) -> Encoding | None:
    """Return how a sample is written; None if a field is more than numbers of a type with known parameters.

    Example:
        >>> from skinfw.data.pixel_types import MaskType
        >>> sample = Sample("anna", {"mask": Field(MaskType(), np.array([[True, False]]))}, (2, 4))
        >>> encoding = encoding_of(sample)
        >>> data = encoding.encode(sample)
        >>> intact(data), header_of(data) == encoding.header
        (True, True)
        >>> encoding.decode("anna", data)["mask"].tolist()
        [[True, False]]
    """
    facts: list[tuple[str, str, str, tuple[int, ...], bool]] = []
    for name, field in sample.fields.items():
        array = _array(field)
        if (
            not isinstance(array, np.ndarray)
            or array.dtype.kind not in _KINDS
            or not is_dataclass(field.type)
        ):
            return None
        is_pose = isinstance(field.value, Keypoints)
        facts.append((name, _described(field.type), array.dtype.str, array.shape, is_pose))
    text = json.dumps({"skinfw": FORMAT, "fields": facts})
    text += " " * (-(_LENGTH + len(text)) % _ALIGNMENT)
    header = len(text).to_bytes(_LENGTH, "little") + text.encode()
    places, start = [], len(header) + _SOURCE_SIZE
    for (name, field), fact in zip(sample.fields.items(), facts, strict=True):
        array = _array(field)
        places.append(_Place(name, field.type, array.dtype, array.shape, start, fact[-1]))
        start += array.nbytes + -array.nbytes % _ALIGNMENT
    return Encoding(header, tuple(places), start)


def intact(data: bytes | bytearray) -> bool:
    """Return whether bytes of `Encoding.encode` are complete and unchanged."""
    content = memoryview(data)[:-_CHECKSUM]
    return len(data) > _LENGTH and zlib.crc32(content) == int.from_bytes(data[-_CHECKSUM:], "little")


def header_of(data: bytes | bytearray) -> bytes:
    """Return the header of bytes of `Encoding.encode`."""
    return bytes(data[: _LENGTH + int.from_bytes(data[:_LENGTH], "little")])


def _array(field: Field) -> Any:
    return field.value.points if isinstance(field.value, Keypoints) else field.value


def _described(kind: FieldType) -> str:
    """Return the class of a type and all its parameters."""
    parameters = ", ".join(f"{each.name}={getattr(kind, each.name)!r}" for each in fields(kind))  # type: ignore[arg-type]
    return f"{type(kind).__module__}.{type(kind).__qualname__}({parameters})"
