"""The cache of samples: what fits is loaded once."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from skinfw.components.field_names import KEYPOINTS
from skinfw.data.field_types import Field
from skinfw.data.keypoints import Keypoints
from skinfw.data.loading import Loader
from skinfw.data.pixel_types import ImageType
from skinfw.data.pose_types import KeypointsType
from skinfw.data.sample import Sample
from skinfw.data.sample_cache import SampleCache


class Source:
    """Gives samples of one MiB less the pose, and counts how often."""

    def __init__(self) -> None:
        self.loaded: list[str] = []

    def load(self, name: str) -> Sample:
        self.loaded.append(name)
        pixels = np.zeros((1, (2**20 - 300) // 3, 3), np.uint8)
        pose = Keypoints(np.zeros((25, 3), np.float32))
        return Sample(name, {"image": Field(ImageType(), pixels), KEYPOINTS: Field(KeypointsType(), pose)})


@pytest.mark.parametrize(("mebibytes", "again"), [(0, ["a", "b"]), (1, ["b"]), (2, [])])
def test_what_fits_is_loaded_once(mebibytes: int, again: list[str]) -> None:
    source = Source()
    cache = SampleCache(mebibytes)
    for _ in range(2):
        loader = Loader(source, ["a", "b"], batch_size=1, cache=cache)
        assert [list(batch.names) for batch in loader] == [["a"], ["b"]]
    assert source.loaded == ["a", "b", *again]


def test_a_cache_travels_without_its_samples() -> None:
    cache, source = SampleCache(2), Source()
    cache.get("a", source.load)
    other = pickle.loads(pickle.dumps(cache))
    other.get("a", source.load)
    other.get("b", source.load)
    other.get("b", source.load)
    assert source.loaded == ["a", "a", "b"]


def test_without_a_cache_every_epoch_loads_again() -> None:
    source = Source()
    loader = Loader(source, ["a"], batch_size=1)
    assert [len(list(loader)) for _ in range(2)] == [1, 1]
    assert source.loaded == ["a", "a"]
