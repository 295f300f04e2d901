"""What has changed in the data of a run since it began."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skinfw import Pipeline
from skinfw.assembly.assemble import build_dataset
from skinfw.errors import DataError
from skinfw.runs.data_record import data_changes, write_data
from skinfw.runs.folder import Run

Make = Callable[..., Any]


class Samples:
    """Samples with a hash each."""

    def __init__(self, **hashes: str) -> None:
        self.hashes = hashes

    def names(self) -> list[str]:
        return [*self.hashes, "without a hash"]

    def sample_fingerprints(self) -> dict[str, str]:
        return self.hashes


@pytest.fixture
def run(tmp_path: Path, tiny_spec: Make) -> Run:
    return Pipeline(tiny_spec(), output=tmp_path).run


def test_changed_samples_are_named_and_the_rest_is_counted(run: Run) -> None:
    write_data(run, Samples(a="1", b="1", c="1", d="1", e="1", f="1"))
    assert data_changes(run, Samples(a="1", b="1", c="1", d="1", e="1", f="1")) == ""
    assert data_changes(run, Samples(b="1", c="2", d="2", e="2", f="2", g="1")) == (
        "1 sample added: g; 1 sample removed: a; 4 samples changed: c, d, e, and 1 more"
    )


def test_a_sample_without_a_hash_may_be_the_same(run: Run) -> None:
    write_data(run, Samples(a="1"))
    run.data_path.write_text(run.data_path.read_text("utf-8").replace('"1"', "null"), "utf-8")
    assert data_changes(run, Samples(a="1")) == ""


@pytest.mark.parametrize("text", [None, "", "[]", "[" * 100_000])
def test_without_a_record_nothing_is_named(run: Run, text: str | None) -> None:
    if text is not None:
        run.data_path.write_text(text, encoding="utf-8")
    assert data_changes(run, Samples(a="1")) == ""


def test_resuming_on_changed_samples_names_them(tmp_path: Path, make_run: Make, write_samples: Make) -> None:
    folders = write_samples(tmp_path / "data", [f"person-{number}" for number in range(12)])
    run = make_run(
        tmp_path / "run",
        data={"dataset": {"type": "folder", "root": str(tmp_path / "data")}, "size": [32, 32]},
    )
    write_data(run, build_dataset(run.spec))
    shutil.copy(folders[1] / "line.png", folders[0] / "line.png")
    shutil.rmtree(folders[2])
    with pytest.raises(DataError, match=r"\(1 sample removed: person-2; 1 sample changed: person-0\)"):
        Pipeline(run.spec, output=run.folder, resume=True).fit()
