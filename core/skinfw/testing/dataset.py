"""The contract of data sets."""

from __future__ import annotations

import pickle
import re
from dataclasses import replace
from typing import Any

import numpy as np

from skinfw.components.config import ComponentConfig, Size
from skinfw.components.field_names import APPAREL, BODY, KEEP, KEYPOINTS, MASK, SKIN
from skinfw.data.batch import collate
from skinfw.data.field_types import Field
from skinfw.data.keypoints import Keypoints
from skinfw.data.pixel_types import MaskType
from skinfw.data.sample import Sample
from skinfw.data.sample_encoding import encoding_of
from skinfw.interfaces import Dataset, DatasetIO
from skinfw.testing._require import require
from skinfw.testing.examples import example_dataset_io

OPTIONAL = "face"
"""A mask that is asked for, and that is blank where the data do not show it."""


def check_dataset(
    component: type[Dataset[Any]],
    config: ComponentConfig,
    size: Size = (64, 48),
    inputs: tuple[str, ...] = ("apparel_head_foot", "segmentation_skin"),
    samples: int = 3,
    needs_keypoints: bool = False,
) -> None:
    """Check a data set against its interface.

    It checks that names are unique and in a fixed order, that samples have the requested size and inputs with
    the right types and are always the same, also from the cache, that the fingerprints are stable, and that
    the data set can be sent to another process, as data loaders require.

    Args:
        component: the class.
        config: its configuration, for existing data.
        size: height and width in pixels to request.
        inputs: names of inputs that the data provides.
        samples: how many samples to load.
        needs_keypoints: whether to request the keypoints of every sample.

    Raises:
        AssertionError: the contract is violated; the message says how.
    """
    io = example_dataset_io(size, inputs, needs_keypoints=needs_keypoints)
    io = replace(io, optional=example_dataset_io(size, [OPTIONAL]).inputs)
    dataset, again = component(config, io), component(config, io)
    names = list(dataset.names())
    require(bool(names), "names() is empty; a data set without samples must raise DataError")
    require(len(names) == len(set(names)), "names() has a duplicate name")
    require(names == list(again.names()), "names() changes its order")
    print_of = dataset.fingerprint()
    require(
        bool(re.fullmatch(r"[0-9a-f]{64}", print_of)), f"fingerprint {print_of!r} is not a SHA-256 in hex"
    )
    require(print_of == again.fingerprint(), "fingerprint() differs for the same data")
    hashes = dict(dataset.sample_fingerprints())
    require(hashes.keys() <= set(names), "sample_fingerprints() has a sample that is not in names()")
    require(
        all(isinstance(each, str) for each in hashes.values()), "a fingerprint of a sample is not a string"
    )
    require(hashes == again.sample_fingerprints(), "sample_fingerprints() differs for the same data")
    require(all(map(dataset.unchanged, names)), "unchanged() is false for samples that nobody changed")
    require(dataset.settings() == again.settings(), "settings() differs for the same configuration")
    elsewhere = pickle.loads(pickle.dumps(dataset))
    for name in names[:samples]:
        sample = dataset.load(name)
        _check_sample(sample, name, io)
        for other, where in ((again, "the second time"), (elsewhere, "in another process")):
            _check_same(sample, other.load(name), f"sample {name} differs {where}")
        encoding = encoding_of(sample)
        if encoding is not None:
            cached = encoding.decode(name, encoding.encode(sample))
            _check_same(sample, cached, f"sample {name} differs from the cache")


def _check_sample(sample: Sample, name: str, io: DatasetIO) -> None:
    require(sample.name == name, f"load({name!r}) returns a sample called {sample.name!r}")
    for wanted in (
        *io.inputs,
        *io.optional,
        APPAREL,
        BODY,
        KEEP,
        MASK,
        SKIN,
        *([KEYPOINTS] if io.needs_keypoints else []),
    ):
        require(wanted in sample, f"sample {name} lacks {wanted}")
    for wanted in sorted(
        {KEEP, MASK, SKIN, *(each for each, built in io.inputs.items() if built.config.is_mask)}
    ):
        kind = sample.fields[wanted].type
        require(
            isinstance(kind, MaskType), f"{wanted} of {name} is not a mask: its type is {type(kind).__name__}"
        )
    for field, each in sample.fields.items():
        _check_field(field, each, f"{field} of {name}", io.size)
    require(bool(sample[KEEP].any()), f"sample {name} keeps nothing: no head, no feet, no apparel")
    batch = collate([sample])
    for wanted, built in io.inputs.items():
        channels = batch.condition([wanted]).shape[1]
        require(
            channels == built.config.channels,
            f"{wanted} of {name} has {channels} channels; its configuration says {built.config.channels}",
        )


def _check_field(name: str, field: Field, what: str, size: Size) -> None:
    value = field.value
    if name == KEYPOINTS:
        require(isinstance(value, Keypoints), f"{what} is a {type(value).__name__}, not Keypoints")
        return
    is_mask = isinstance(field.type, MaskType)
    require(
        value.dtype == (np.bool_ if is_mask else np.uint8) and value.shape[:2] == size,
        f"{what} is {value.dtype} {value.shape}, not {'bool' if is_mask else 'uint8'} of {size}",
    )


def _check_same(one: Sample, other: Sample, message: str) -> None:
    require(one.fields.keys() == other.fields.keys(), message)
    for name in one.fields:
        left, right = (each[name].points if name == KEYPOINTS else each[name] for each in (one, other))
        require(np.array_equal(left, right), f"{message}: {name}")
