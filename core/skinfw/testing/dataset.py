"""The contract of data sets."""

from __future__ import annotations

import pickle
import re
from typing import Any

import numpy as np

from skinfw.components.config import ComponentConfig, Size
from skinfw.components.inputs import channels_of
from skinfw.data.sample import FACE, SKIN, Sample
from skinfw.data.segmentation import Picture
from skinfw.interfaces import Dataset, DatasetIO
from skinfw.testing._require import require


def check_dataset(
    component: type[Dataset[Any]],
    config: ComponentConfig,
    size: Size = (64, 48),
    inputs: tuple[str, ...] = ("apparel_head_foot", "segmentation_skin"),
    needs_skin: bool = True,
    samples: int = 3,
    needs_keypoints: bool = False,
) -> None:
    """Check a data set against its interface.

    Checked are that names are unique and in a fixed order, that samples have the asked size and inputs in
    the right types and are the same each time, that the fingerprints are stable, and that the data set can be
    sent to another process, as a loader's workers need.

    Args:
        component: the class.
        config: its configuration, of data that exist.
        size: height and width in pixels that the data can be loaded in.
        inputs: names of input pictures that the data offer.
        needs_skin: whether to ask for the skin region of every sample.
        samples: how many samples to load.
        needs_keypoints: whether to ask for the keypoints of every sample.

    Raises:
        AssertionError: something of the contract does not hold; the text says what.
    """
    io = DatasetIO(size, inputs, needs_skin, needs_keypoints)
    dataset, again = component(config, io), component(config, io)
    names = list(dataset.names())
    require(bool(names), "names() is empty; a data set without samples must raise DataError")
    require(len(names) == len(set(names)), "names() has a name twice")
    require(names == list(again.names()), "names() has another order the second time")
    print_of = dataset.fingerprint()
    require(
        bool(re.fullmatch(r"[0-9a-f]{64}", print_of)), f"fingerprint {print_of!r} is not a SHA-256 in hex"
    )
    require(print_of == again.fingerprint(), "fingerprint() differs for the same data")
    hashes = dict(dataset.sample_fingerprints())
    require(hashes.keys() <= set(names), "sample_fingerprints() names a sample that names() does not")
    require(all(isinstance(each, str) for each in hashes.values()), "a fingerprint of a sample is not a text")
    require(hashes == again.sample_fingerprints(), "sample_fingerprints() differs for the same data")
    elsewhere = pickle.loads(pickle.dumps(dataset))
    for name in names[:samples]:
        sample = dataset.load(name)
        _check_sample(sample, name, io)
        for other, where in ((again, "a second time"), (elsewhere, "in another process")):
            _check_same(sample, other.load(name), f"sample {name} is another {where}")


def _check_sample(sample: Sample, name: str, io: DatasetIO) -> None:
    require(sample.name == name, f"load({name!r}) returns a sample called {sample.name!r}")
    missing = [wanted for wanted in io.inputs if wanted not in sample.inputs]
    require(not missing, f"sample {name} lacks the inputs {missing}")
    for wanted in io.inputs:
        _check_picture(sample.inputs[wanted], f"{wanted} of {name}", io.size, channels_of(wanted))
    for wanted in (FACE, SKIN):
        if wanted in sample.inputs:
            values = set(np.unique(sample.inputs[wanted]).tolist())
            require(
                values <= {0, 255}, f"{wanted} of {name} is not a mask: it has values other than 0 and 255"
            )
    _check_picture(sample.target, f"the target of {name}", io.size)
    require(not io.needs_skin or sample.skin is not None, f"needs_skin, but sample {name} has no skin region")
    found = sample.keypoints is not None
    require(not io.needs_keypoints or found, f"needs_keypoints, but sample {name} has none")
    for mask, what in ((sample.skin, "skin"), (sample.kept, "kept")):
        if mask is not None:
            require(
                mask.dtype == np.bool_ and mask.shape == io.size,
                f"{what} of {name} is {mask.dtype} {mask.shape}, not bool {io.size}",
            )
    require(bool(sample.kept.any()), f"sample {name} keeps nothing: no head, no feet, no apparel")


def _check_picture(picture: Picture, what: str, size: Size, channels: int = 3) -> None:
    require(
        picture.dtype == np.uint8 and picture.shape == (*size, channels),
        f"{what} is {picture.dtype} {picture.shape}, not uint8 {(*size, channels)}",
    )


def _check_same(one: Sample, other: Sample, message: str) -> None:
    pairs: list[tuple[Any, Any]] = [
        (one.target, other.target),
        (one.kept, other.kept),
        (one.skin, other.skin),
        (_points(one), _points(other)),
    ]
    pairs += [(picture, other.inputs.get(name)) for name, picture in one.inputs.items()]
    require(all(np.array_equal(left, right) for left, right in pairs), message)


def _points(sample: Sample) -> Any:
    return None if sample.keypoints is None else sample.keypoints.points
