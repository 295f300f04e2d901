"""Checkpoints that somebody made to do harm, or that were damaged: one short error each."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from skinfw.errors import SkinfwError
from skinfw.runs.folder import Run
from skinfw.tasks.evaluate_run import evaluate_run

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def run(make_run: Callable[..., Any], tmp_path: Path) -> Run:
    found: Run = make_run(tmp_path / "run")
    return found


def error(run: Run) -> str:
    """Return what `evaluate` says about a run's checkpoint."""
    with pytest.raises(SkinfwError) as caught:
        evaluate_run(run)
    told = str(caught.value)
    assert len(told) < 4000 and str(run.checkpoint()) in told
    assert told.replace("\n", "").isprintable()
    return told


def put(value: dict[str, Any], path: str, new: Any) -> None:
    *parents, last = path.split(".")
    for name in parents:
        value = value[name]
    value[last] = new


@pytest.mark.parametrize(
    ("path", "new", "words"),
    [
        ("spec", None, "metadata is damaged: $.spec"),
        ("spec", [], "$.spec"),
        ("spec", {}, "is required"),
        ("spec.generator", {"type": "nothing"}, "unknown generator"),
        ("spec.generator", {"type": "pix2pix", "base_channels": 10**18}, "out of range"),
        ("spec.generator.base_channels", 4096, "its weights do not fit its spec"),
        ("spec.generator", {"type": "fcnn", "hidden_widths": [65536, 65536]}, "do not fit its spec"),
        ("spec.data.size", [8192, 8192], "do not fit its spec"),
        ("spec.data.size", [10**18, 32], "out of range"),
        ("spec.task", "segmentation", "errors"),
        ("spec.name", "x" * 100_000, "a string of 100,000 characters"),
        ("components", None, "$.components"),
        ("components", [1], "$.components"),
        ("components", {"generator/pix2pix": 1}, "$.components"),
        ("components", {f"loss/x{number}": "x 1" for number in range(100_000)}, "$.components"),
        ("components", {"loss/\x1b[2J": "evil \x1b[31m" + "x" * 100_000}, "which is not installed"),
        ("versions", "x", "$.versions"),
        ("progress", None, "$.progress"),
        ("progress", {}, "$.progress.step"),
        ("progress.step", -1, "$.progress.step"),
        ("progress.step", True, "$.progress.step"),
        ("progress.step", 10**400, "300 are allowed"),
        ("progress.step", 10**18, "$.progress.step"),
        ("progress.epoch", "1", "$.progress.epoch"),
        ("progress.data", 5, "$.progress.data"),
    ],
)
def test_damaged_metadata_are_told(run: Run, path: str, new: Any, words: str) -> None:
    with safe_open(run.checkpoint(), framework="pt") as file:
        about = json.loads(file.metadata()["skinfw"])
    put(about, path, new)
    save_file(load_file(run.checkpoint()), run.checkpoint(), metadata={"skinfw": json.dumps(about)})
    assert words in error(run)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1"),
        ("null", "metadata is damaged"),
        ("[]", "metadata is damaged"),
        ('"x"', "metadata is damaged"),
        ("[" * 100_000, "nested too deeply"),
        ('{"spec": NaN}', "NaN is not JSON"),
        ('{"a": 1, "a": 2}', "duplicate key 'a'"),
        ('{"a": 1e999}', "too large for a float"),
        ('{"\\ud800": 1}', "a lone surrogate"),
        ("{" + ",".join(f'"{number}": 1' for number in range(50_000)) + "}", "metadata is damaged"),
    ],
)
def test_metadata_that_are_no_json_are_told(run: Run, text: str, words: str) -> None:
    save_file(load_file(run.checkpoint()), run.checkpoint(), metadata={"skinfw": text})
    assert words in error(run)


def test_metadata_beyond_any_size_are_not_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skinfw.runs.checkpoint_header.MAX_METADATA", 100)
    assert "metadata is longer than 100 characters" in error(run)


def header(value: Any, length: int | None = None) -> bytes:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 7,
        b"\0" * 8,
        struct.pack("<Q", 2**64 - 1),
        struct.pack("<Q", 10**18) + b"{}",
        header(b"{"),
        header(b"\xff\xfe{}"),
        header("{}".encode("utf-16")),
        header(b"[]"),
        header(b"[" * 100_000),
        header({}, 10**9),
        header({"__metadata__": {"skinfw": 1}}),
        header({"__metadata__": []}),
        header({"x": {"dtype": "F32", "shape": [10**18, 10**18], "data_offsets": [0, 4]}}) + b"\0" * 4,
        header({"x": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}) + b"\0" * 4,
        header({"x": {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}}) + b"\0" * 4,
        header({"x": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}) + b"\0" * 4,
        header({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 10**18]}}) + b"\0" * 4,
        b"PK\x03\x04 a pickle of old" * 10,
    ],
)
def test_a_file_that_is_no_safetensors_is_told(run: Run, data: bytes) -> None:
    run.checkpoint().write_bytes(data)
    assert "not a readable skinfw checkpoint" in error(run)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda tensors: tensors.clear(), "is missing"),
        (lambda tensors: tensors.pop(next(iter(tensors))), "is missing"),
        (
            lambda tensors: tensors.update({"generator.evil": torch.zeros(1)}),
            "generator.evil".removeprefix("generator."),
        ),
        (
            lambda tensors: tensors.update(
                {f"generator.x{number}": torch.zeros(1) for number in range(5000)}
            ),
            "and 4,997 more",
        ),
        (lambda tensors: tensors.update({f"generator.{'x' * 10_000}": torch.zeros(1)}), "is unknown"),
        (lambda tensors: tensors.update({"generator.\x1b[2J": torch.zeros(1)}), "is unknown"),
        (
            lambda tensors: tensors.update({key: value[:1] for key, value in tensors.items() if value.ndim}),
            "has the shape",
        ),
        (
            lambda tensors: tensors.update({key: value.to(torch.int64) for key, value in tensors.items()}),
            "has the type torch.int64",
        ),
        (
            lambda tensors: tensors.update(
                {key: value.to(torch.complex64) for key, value in tensors.items()}
            ),
            "has the type torch.complex64",
        ),
    ],
)
def test_tensors_of_another_network_are_told(run: Run, change: Change, words: str) -> None:
    with safe_open(run.checkpoint(), framework="pt") as file:
        metadata = file.metadata()
    tensors = {key: value.clone() for key, value in load_file(run.checkpoint()).items()}
    change(tensors)
    save_file(tensors, run.checkpoint(), metadata=metadata)
    assert words in error(run)
