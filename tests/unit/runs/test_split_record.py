from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from skinfw.data.split import Split
from skinfw.errors import DataError, RunError
from skinfw.runs.folder import Run
from skinfw.runs.split_record import make_split, read_split, split_of_run, write_split
from skinfw.specs.run_spec import SplitSpec
from skinfw.specs.spec import parse_spec

SPLIT = Split(("a", "b", "caf\udce9"), ("c",), ("d", "e"))


class Names:
    """A data set that has these names, each a group of its own."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def names(self) -> tuple[str, ...]:
        return self._names

    def group(self, name: str) -> str:
        return name


@pytest.fixture
def run(tmp_path: Path) -> Run:
    spec: Any = {
        "name": "split", "data": {"dataset": "mannequins", "size": [16, 16]}, "generator": "pix2pix",
        "losses": ["l1"], "training": {"steps": 1},
    }  # fmt: skip
    return Run(tmp_path, parse_spec(spec))


def test_a_split_is_read_as_it_was_written(run: Run) -> None:
    assert read_split(run.folder) is None
    write_split(run, SPLIT)
    assert read_split(run.folder) == SPLIT


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_split_that_is_no_file_is_not_read(run: Run) -> None:
    os.mkfifo(run.split_path)
    with pytest.raises(RunError, match="a FIFO"):
        read_split(run.folder)
    run.split_path.unlink()
    run.split_path.symlink_to("/dev/zero")
    with pytest.raises(RunError, match="a device"):
        read_split(run.folder)


def test_the_recorded_split_counts_though_the_data_have_changed(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    write_split(run, SPLIT)
    found = split_of_run(run, Names("new", "e", "d", "c", "b", "a", "caf\udce9"))
    assert found == SPLIT
    assert "skipping 1 sample not in the recorded split: new" in caplog.text
    assert split_of_run(run, Names("a", "e")) == Split(("a",), (), ("e",))
    assert "1 of the 2 test samples are missing from the data and are not evaluated: " in caplog.text
    with pytest.raises(DataError, match="none of the 2 test samples of this run is in the data now"):
        split_of_run(run, Names("a", "new"))


def test_without_a_record_the_spec_says_the_split(run: Run) -> None:
    names = Names(*(f"person-{index}" for index in range(50)))
    assert split_of_run(run, names) == make_split(names, run.spec.data)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Expecting value"),
        ("\xff", "can't decode"),
        ("[" * 100_000, "recursion"),
        ("[]", "it must have the lists"),
        ("{}", "it must have the lists train, validation, test"),
        ('{"train": "ab", "validation": [], "test": ["c"]}', "it must have the lists"),
        ('{"train": {"a": 1}, "validation": [], "test": ["c"]}', "it must have the lists"),
        ('{"train": [], "validation": [], "test": [1]}', "a name is not a string"),
        ('{"train": ["a", "b"], "validation": [], "test": ["a"]}', "duplicate name"),
    ],
)
def test_a_damaged_record_is_an_error(run: Run, text: str, words: str) -> None:
    run.split_path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RunError, match=rf"split\.json: cannot be read as the split of a run \(.*{words}"):
        read_split(run.folder)


def test_a_huge_record_is_not_read(run: Run) -> None:
    with run.split_path.open("wb") as file:
        file.truncate(2**40)  # holds nothing on the disk
    with pytest.raises(RunError, match="larger than 268,435,456 bytes"):
        read_split(run.folder)


@pytest.fixture
def own(tmp_path: Path) -> Any:
    """Return the spec's data with a split in a file."""

    def make(**sides: list[str]) -> Any:
        path = tmp_path / "own.json"
        path.write_text(json.dumps({"train": [], "validation": [], "test": [], **sides}), encoding="utf-8")
        return SplitSpec(size=(16, 16), split=path)

    return make


def test_a_spec_may_name_a_file_with_its_split(own: Any, caplog: pytest.LogCaptureFixture) -> None:
    data = own(train=["a", "b"], validation=["c"], test=["d"])
    assert make_split(Names("d", "c", "b", "a"), data) == Split(("a", "b"), ("c",), ("d",))
    assert not caplog.text
    assert make_split(Names("d", "c", "a"), data) == Split(("a",), ("c",), ("d",))
    assert "own.json: names 1 sample that the data set does not have or that are excluded: b" in caplog.text
    make_split(Names("d", "c", "b", "a", "e", "f"), data)
    assert "own.json: does not name 2 samples, which the run does not use" in caplog.text


def test_a_person_on_both_sides_is_named(own: Any, caplog: pytest.LogCaptureFixture) -> None:
    class Grouped(Names):
        def group(self, name: str) -> str:
            return name[0]

    make_split(Grouped("a1", "a2", "b"), own(train=["a1", "b"], test=["a2"]))
    assert "1 training sample of a person or photo that is also held out" in caplog.text
    assert "a1" in caplog.text


@pytest.mark.parametrize(
    ("sides", "words"),
    [
        ({"train": ["gone"], "test": ["b"]}, "names no training or no test sample that the data set has"),
        ({"train": ["a", "b"]}, "names no training or no test sample that the data set has"),
    ],
)
def test_a_split_that_does_not_fit_is_rejected(own: Any, sides: dict[str, list[str]], words: str) -> None:
    with pytest.raises(DataError, match=words):
        make_split(Names("a", "b"), own(**sides))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    data = SplitSpec(size=(16, 16), split=tmp_path / "none.json")
    with pytest.raises(RunError, match=r"none\.json: no such file"):
        make_split(Names("a", "b"), data)
