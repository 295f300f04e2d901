from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch

from skinfw.components.config import ComponentConfig
from skinfw.components.field_names import BODY, SKIN
from skinfw.data import loading
from skinfw.data.field_types import Field
from skinfw.data.loading import Loader, ShuffledOrder, loader_processes
from skinfw.data.pixel_types import BODY_TYPE, SKIN_TYPE
from skinfw.data.sample import Sample
from skinfw.errors import DataError
from skinfw.interfaces import Dataset
from skinfw.testing import example_dataset_io


class Numbers(Dataset[Any]):
    """Samples whose images are their own number; those in ``corrupt`` cannot be read.

    Samples below ten show skin.
    """

    corrupt: frozenset[int] = frozenset()

    def names(self) -> Sequence[str]:
        return [str(index) for index in range(20)]

    def load(self, name: str) -> Sample:
        if int(name) in self.corrupt:
            raise DataError(f"sample {name}: body.png: no image")
        image = np.full((4, 4, 3), int(name), np.uint8)
        skin = np.full((4, 4), int(name) < 10)
        return Sample(name, {BODY: Field(BODY_TYPE, image), SKIN: Field(SKIN_TYPE, skin)})

    def fingerprint(self) -> str:
        return "0"


@pytest.fixture
def numbers() -> Numbers:
    return Numbers(ComponentConfig(), example_dataset_io((4, 4), ("apparel_head_foot",)))


def order_of(order: ShuffledOrder, epoch: int, skip: int = 0) -> list[int]:
    order.start(epoch, skip)
    return list(order)


def test_every_epoch_has_an_order_of_its_own_that_depends_on_the_seed_alone() -> None:
    order = ShuffledOrder(20, seed=5)
    assert sorted(order_of(order, 0)) == list(range(20))
    assert order_of(order, 0) != order_of(order, 1)
    assert order_of(order, 1) == order_of(ShuffledOrder(20, seed=5), 1)
    assert order_of(order, 1) != order_of(ShuffledOrder(20, seed=6), 1)


def test_an_epoch_can_be_entered_anywhere() -> None:
    order = ShuffledOrder(20, seed=5)
    assert order_of(order, 3, skip=8) == order_of(order, 3)[8:]


def test_processes_share_an_epoch_without_overlap() -> None:
    fractions = [order_of(ShuffledOrder(21, 0, rank, 2), 4) for rank in range(2)]
    assert [len(fraction) for fraction in fractions] == [10, 10]
    assert not set(fractions[0]) & set(fractions[1])


def test_batches_follow_the_names_where_no_order_is_given(numbers: Numbers) -> None:
    batches = list(Loader(numbers, ["3", "1", "2"], batch_size=2))
    assert [list(batch.names) for batch in batches] == [["3", "1"], ["2"]]
    assert batches[0][BODY][0].unique().item() == pytest.approx(3 / 255)


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_corrupt_sample_stops_the_loading_and_is_named(numbers: Numbers, num_workers: int) -> None:
    numbers.corrupt = frozenset([2])
    with pytest.raises(DataError) as caught:
        list(Loader(numbers, ["1", "2", "3"], batch_size=2, num_workers=num_workers))
    assert str(caught.value) == "sample 2: body.png: no image"


def test_a_corrupt_sample_is_left_out_and_named_once(
    numbers: Numbers, caplog: pytest.LogCaptureFixture
) -> None:
    numbers.corrupt = frozenset([2])
    loader = Loader(numbers, ["1", "2", "3"], batch_size=1, skip_corrupt=True)
    for _ in range(2):
        assert [list(batch.names) for batch in loader] == [["1"], ["3"]]
    assert [record.message for record in caplog.records] == ["skipped: sample 2: body.png: no image"]


def test_samples_with_an_empty_mask_are_named_once(
    numbers: Numbers, caplog: pytest.LogCaptureFixture
) -> None:
    loader = Loader(numbers, ["8", "9", "10", "11"], batch_size=2, shown=[SKIN])
    for _ in range(2):
        assert sum(len(batch) for batch in loader) == 4
    assert [record.message for record in caplog.records] == [
        f"{name}: segmentation_skin is black everywhere" for name in ("10", "11")
    ]
    caplog.clear()
    assert sum(len(batch) for batch in Loader(numbers, ["10"], batch_size=1)) == 1
    assert not caplog.records


def test_in_training_another_sample_takes_the_place_of_a_corrupt_one(numbers: Numbers) -> None:
    numbers.corrupt = frozenset(range(3, 9))
    order = ShuffledOrder(20, seed=0)
    loader = Loader(numbers, numbers.names(), batch_size=5, skip_corrupt=True, order=order)
    batches = [list(batch.names) for batch in loader]
    assert [len(batch) for batch in batches] == [5, 5, 5, 5]
    assert not {"3", "4", "5", "6", "7", "8"} & {name for batch in batches for name in batch}


def test_training_stops_when_nothing_can_be_read(numbers: Numbers) -> None:
    numbers.corrupt = frozenset(range(20))
    order = ShuffledOrder(20, seed=0)
    with pytest.raises(DataError, match="no training sample can be read"):
        list(Loader(numbers, numbers.names(), batch_size=5, skip_corrupt=True, order=order))


def test_worker_processes_give_the_same_batches(numbers: Numbers) -> None:
    alone = [batch[BODY] for batch in Loader(numbers, numbers.names(), batch_size=7)]
    helped = [batch[BODY] for batch in Loader(numbers, numbers.names(), batch_size=7, num_workers=1)]
    assert len(alone) == len(helped) == 3
    assert all(bool((one == other).all()) for one, other in zip(alone, helped, strict=True))


@pytest.mark.parametrize(
    ("wanted", "device", "batches", "cores", "beside", "count"),
    [
        (0, "cuda", 100, 16, "", 0),
        (3, "cpu", 1, 2, "", 3),
        ("auto", "cpu", 100, 16, "", 0),
        ("auto", "cuda", 100, 16, "", 8),
        ("auto", "cuda", 100, 6, "", 5),
        ("auto", "cuda", 3, 16, "", 3),
        ("auto", "cuda", 100, 16, "4", 3),
        ("auto", "cuda", 100, 16, "16", 1),
        ("auto", "mps", 100, 1, "", 1),
        ("auto", "cuda", 100, 16, "0", 8),
        ("auto", "cuda", 100, 16, "many", 8),
    ],
)
def test_auto_depends_on_device_cores_and_processes(
    monkeypatch: pytest.MonkeyPatch,
    wanted: int | Literal["auto"],
    device: str,
    batches: int,
    cores: int,
    beside: str,
    count: int,
) -> None:
    monkeypatch.setattr(loading, "cores", lambda: cores)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", beside)
    assert loader_processes(wanted, torch.device(device), batches) == count


def test_a_loader_starts_as_many_processes_as_auto_says(
    numbers: Numbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "cores", lambda: 4)
    gpu = torch.device("cuda")
    order = ShuffledOrder(20, seed=0)
    loader = Loader(numbers, numbers.names(), batch_size=10, num_workers="auto", device=gpu, order=order)
    alone = Loader(numbers, numbers.names(), batch_size=10, num_workers="auto", order=order)
    assert (loader._loader.num_workers, alone._loader.num_workers) == (2, 0)
    assert [list(batch.names) for batch in loader] == [list(batch.names) for batch in alone]


SCRIPT = """
import multiprocessing
from skinfw import use
from skinfw.assembly.build import build
from skinfw.data.loading import Loader
from skinfw.interfaces import Dataset
from skinfw.testing import example_dataset_io
multiprocessing.set_start_method("spawn")  # as macOS and Windows do
print("begin", flush=True)
io = example_dataset_io((16, 16), ("apparel_head_foot",))
people = build(use("dataset", "mannequins", count=3), Dataset, io)
print([len(batch.names) for batch in Loader(people, people.names(), batch_size=2, num_workers=1)], flush=True)
"""


def test_loading_processes_do_not_run_the_script_again(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "begin\n[2, 1]\n"), done.stderr
