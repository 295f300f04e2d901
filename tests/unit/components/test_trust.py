"""What a stranger's run can do: nothing, until the user says so."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, get_args

import pytest
import torch
from click.testing import CliRunner
from pydantic import BaseModel, Field

from skinfw.assembly.build import build
from skinfw.cli import main
from skinfw.components import trust
from skinfw.components.config import ComponentConfig
from skinfw.components.outside import Outside
from skinfw.components.reference import use
from skinfw.components.registry import installed
from skinfw.components.trust import connections, is_own, named_outside, reject_links, sign
from skinfw.components.weights import WeightsFile, find_weights
from skinfw.errors import DataError, TrustError, UserError
from skinfw.inference.generate import generate_folder
from skinfw.interfaces import PoseEncoder
from skinfw.runs.checkpoint_header import Progress
from skinfw.runs.checkpoint_networks import load_generator
from skinfw.runs.checkpoints import (
    read_checkpoint,
    reject_untrusted,
    run_checkpoint,
    save_checkpoint,
)
from skinfw.runs.folder import Run, open_run
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.spec import Spec, parse_spec
from skinfw.tasks.evaluate_run import evaluate_run

Make = Callable[..., Any]


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], None]:
    """Go to another machine, or become another user: what was trained before is a stranger's."""
    return lambda: monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another user"))


def photos(root: str, **pose: Any) -> dict[str, Any]:
    """Return the data of a run on photos."""
    encoder = {"type": "openpose", **pose}
    return {"dataset": {"type": "photos", "root": root, "pose_encoder": encoder}, "size": [32, 32]}


@pytest.fixture
def evil(make_run: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A stranger's run whose spec names a program that leaves a trace."""
    from skinfw.runs import checkpoints

    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path / 'trace'}\n")
    program.chmod(0o755)
    run = make_run(tmp_path / "run")
    spec = parse_spec({**run.spec.to_json(), "data": photos("/etc", binary=str(program))})
    weights = read_checkpoint(run.checkpoint()).tensors
    for which in ("best", "last"):
        checkpoints.save_checkpoint(run.checkpoint(which), weights, spec, checkpoints.Progress(1, 1, 0, "x"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another user"))
    return run


def test_evaluate_starts_and_reads_nothing_that_a_strangers_checkpoint_names(
    evil: Any, tmp_path: Path
) -> None:
    done = CliRunner().invoke(main, ["evaluate", str(evil.folder)])
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert f"$.data.dataset.pose_encoder.binary names a program to start, '{tmp_path / 'program'}'" in line
    assert "$.data.dataset.root names a path, '/etc'" in line
    assert "--trust" in line and "open_run(folder, trust=True)" in line
    assert not (tmp_path / "trace").exists() and not evil.metrics_path.exists()


def test_what_the_user_trusts_is_used(evil: Any) -> None:
    checkpoint = run_checkpoint(open_run(evil.folder, trust=True))
    reject_untrusted(checkpoint)
    assert checkpoint.trusted
    # a spec that the user wrote vouches for what it names itself, and for nothing else
    with pytest.raises(TrustError, match="names a program"):
        evaluate_run(Run(evil.folder, evil.spec, "spec"))
    assert run_checkpoint(Run(evil.folder, checkpoint.spec, "spec")).trusted


def test_a_strangers_run_that_names_nothing_is_measured(
    make_run: Make, elsewhere: Callable[[], None], tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run")
    elsewhere()
    done = CliRunner().invoke(main, ["evaluate", str(run.folder), "--device", "cpu"])
    assert done.exit_code == 0, done.output
    assert not read_checkpoint(run.checkpoint()).trusted


def test_ones_own_run_is_trusted_wherever_its_data_are(
    make_run: Make, write_samples: Make, tmp_path: Path
) -> None:
    write_samples(tmp_path / "data", [f"p{number}" for number in range(6)])
    data = {"dataset": {"type": "folder", "root": str(tmp_path / "data")}, "size": [32, 32]}
    run = make_run(tmp_path / "run", data={**data, "test_fraction": 0.5, "validation_fraction": 0})
    moved = run.folder.rename(tmp_path / "moved")
    done = CliRunner().invoke(main, ["evaluate", str(moved), "--device", "cpu"])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("root", "kind"),
    [
        ("s3://bucket/shards", "an address to fetch from"),
        ("simplecache::memory://shards", "an address to fetch from"),
        ("/home/somebody/shards", "a path"),
    ],
)
def test_shards_of_a_strangers_run_are_not_read(
    root: str, kind: str, make_run: Make, elsewhere: Callable[[], None], tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run")
    spec = parse_spec(
        {**run.spec.to_json(), "data": {"dataset": {"type": "shards", "root": root}, "size": [32, 32]}}
    )
    weights = read_checkpoint(run.checkpoint()).tensors
    save_checkpoint(run.checkpoint("best"), weights, spec, Progress(1, 1, 0, "x"))
    elsewhere()
    done = CliRunner().invoke(main, ["evaluate", str(run.folder)])
    assert done.exit_code == 2
    assert f"$.data.dataset.root names {kind}, '{root}'" in done.stderr and "--trust" in done.stderr
    trusted = CliRunner().invoke(main, ["evaluate", str(run.folder), "--trust"])
    assert (trusted.exit_code == 2 and f"{root}/index.jsonl" in trusted.stderr) or "s3fs" in trusted.stderr


def test_generate_needs_no_trust_for_where_the_stranger_kept_the_data(
    evil: Any, write_samples: Make, tmp_path: Path
) -> None:
    write_samples(tmp_path / "samples", ["a"])
    written = generate_folder(open_run(evil.folder), tmp_path / "samples", tmp_path / "output")
    assert [path.name for path in written] == ["a.png"]


def test_a_path_that_only_training_uses_does_not_count_for_a_trained_run() -> None:
    coarse = {"type": "pix2pix", "base_channels": 4}
    refined = use("generator", "two_stage", coarse=coarse, coarse_run="/somebody/elses")
    smp = use("generator", "smp_unet", encoder_weights="/somebody/elses.safetensors")
    for generator, place in ((refined, "$.coarse_run"), (smp, "$.encoder_weights")):
        assert not named_outside(generator)
        assert [each.place for each in named_outside(generator, training=True)] == [place]


class Unmarked(ComponentConfig):
    """What a plugin may have that marks nothing."""

    file: Path = Field(default=Path("x"), description="a path")
    place: str = Field(default="", description="a text")
    names: dict[str, tuple[str, ...]] = Field(default_factory=dict, description="texts")
    any_of: frozenset[str] = Field(default=frozenset(), description="texts")
    model: Annotated[str | None, Outside("hub")] = Field(default=None, description="a model")
    start: Annotated[tuple[str, ...], Outside("program")] = Field(default=(), description="programs")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"place": "https://example.org/x"}, ("$.place", "address")),
        ({"place": "/etc/passwd"}, ("$.place", "path")),
        ({"place": "~/x"}, ("$.place", "path")),
        ({"place": "a/../../x"}, ("$.place", "path")),
        ({"place": "C:\\x"}, ("$.place", "path")),
        ({"names": {"a": ["b", "file:///x"]}}, ("$.names.a[1]", "address")),
        ({"model": "owner/name"}, ("$.model", "hub")),
        ({"start": ["rm"]}, ("$.start[0]", "program")),
        ({"place": " https://example.org/x"}, ("$.place", "address")),
        ({"place": "file:/etc/passwd"}, ("$.place", "address")),
        ({"any_of": ["/etc/passwd"]}, ("$.any_of[0]", "path")),
        ({"place": "note: and/or"}, None),
        ({"place": "a text, of some words / or so"}, None),
    ],
)
def test_marked_and_unmarked_values_are_found(value: Any, found: tuple[str, str] | None) -> None:
    named = [(each.place, each.kind) for each in named_outside(Unmarked.model_validate(value))]
    assert named == [("$.file", "path"), *([found] if found else [])]


@pytest.mark.parametrize(
    ("kind", "name", "params", "place"),
    [
        ("segmenter", "huggingface", {"model": "owner/name", "labels": "lip"}, "$.model"),
        ("segmenter", "parser", {"path": "x"}, "$.path"),
        ("segmenter", "bodypix", {"weights": "x.onnx"}, "$.weights"),
        ("segmenter", "feet", {"network": {"type": "parser", "path": "x"}}, "$.network.path"),
        ("segmenter", "haar", {"detectors": [{"part": "legs", "file": "x.xml"}]}, "$.detectors[0].file"),
        ("segmenter", "label_map", {"labels": "lip", "folder": "../../x"}, "$.folder"),
        ("dataset", "folder", {"root": "x"}, "$.root"),
        ("pose_encoder", "openpose", {"binary": "x"}, "$.binary"),
    ],
)
def test_every_way_out_of_the_built_in_components_is_marked(
    kind: str, name: str, params: dict[str, Any], place: str
) -> None:
    assert place in [each.place for each in named_outside(use(kind, name, **params))]


def path_fields(model: type[BaseModel], place: str) -> Iterator[tuple[str, bool]]:
    """Yield the fields of a configuration that hold paths, at any depth, and whether each is marked."""

    def parts(annotation: Any) -> Iterator[Any]:
        yield annotation
        for part in get_args(annotation):
            yield from parts(part)

    for name, field in model.model_fields.items():
        found = [*field.metadata, *parts(field.annotation)]
        if Path in found:
            yield f"{place}.{name}", any(isinstance(part, Outside) for part in found)
        for part in found:
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from path_fields(part, f"{place}.{name}")


def test_every_path_of_every_component_is_marked() -> None:
    registry = installed()
    models = {f"{kind} {name}": registry.config_class(kind, name) for kind, name in registry.entries}
    fields = dict(
        field
        for place, model in {**models, "spec": Spec, "segmentation spec": SegmentationSpec}.items()
        for field in path_fields(model, place)
    )
    assert "pose_encoder openpose.binary" in fields and "segmenter haar.detectors.file" in fields
    assert "segmentation spec.data.root" in fields
    assert not [place for place, marked in fields.items() if not marked]


def test_only_this_user_can_sign(elsewhere: Callable[[], None]) -> None:
    spec = {"b": 1, "a": [1, "é"]}
    signature = sign(spec)
    assert is_own({"a": [1, "é"], "b": 1}, signature)
    for other, forged in (
        (spec, "0" * 64),
        (spec, ""),
        (spec, None),
        (spec, "é" * 64),
        ({"b": 2}, signature),
    ):
        assert not is_own(other, forged)
    key = trust.state_folder() / trust.KEY_FILE
    assert key.stat().st_mode & 0o077 == 0
    elsewhere()
    assert not is_own(spec, signature)


def test_a_key_that_others_can_read_is_reported(
    elsewhere: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere()
    signature = sign({})
    assert is_own({}, signature) and not caplog.messages
    key = trust.state_folder() / trust.KEY_FILE
    assert [path.name for path in key.parent.iterdir()] == [trust.KEY_FILE]
    key.chmod(0o640)
    for _ in range(2):
        assert is_own({}, signature)
    assert caplog.messages == [
        f"{key}: other users can use this key, and runs that they sign count as yours: chmod 600 {key}"
    ]
    key.unlink()
    os.mkfifo(key)
    assert not is_own({}, signature) and sign({}) == ""


def test_a_home_that_cannot_be_written_to_signs_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert sign({}) == ""
    assert not is_own({}, "")


def test_nothing_is_fetched_for_a_strangers_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SKINFW_CACHE", str(tmp_path))
    monkeypatch.setenv("SKINFW_WEIGHTS", str(tmp_path))
    file = WeightsFile("w.bin", "http://127.0.0.1:9/w.bin", "0" * 64, "weights", "MIT", cache="skinfw")
    with connections(False), pytest.raises(TrustError, match="so nothing is fetched"):
        find_weights(file)
    assert trust.VARIABLE not in os.environ
    with connections(True), pytest.raises(UserError, match="cannot be downloaded"):
        find_weights(file)


def test_links_out_of_a_strangers_run_folder_are_refused(
    make_run: Make, elsewhere: Callable[[], None], tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run")
    (tmp_path / "images").mkdir()
    (run.folder / "samples").mkdir(exist_ok=True)
    (run.folder / "samples" / "inner").symlink_to("../checkpoints")
    reject_links(run.folder)
    (run.folder / "loop").symlink_to("loop")
    with pytest.raises(TrustError, match="loop: a symbolic link that leads out"):
        reject_links(run.folder)
    (run.folder / "loop").unlink()
    (run.folder / "samples" / "test").symlink_to(tmp_path / "images")
    leftover = run.folder / ".report.html.999999999-0.tmp"
    leftover.touch()
    assert run_checkpoint(open_run(run.folder)).trusted
    elsewhere()
    with pytest.raises(TrustError, match=r"samples/test: a symbolic link that leads out of the run folder"):
        evaluate_run(open_run(run.folder))
    rejected = CliRunner().invoke(main, ["evaluate", str(run.folder)])
    assert rejected.exit_code == 2 and "leads out of the run folder" in rejected.output
    assert leftover.exists()
    assert list((tmp_path / "images").iterdir()) == []
    assert run_checkpoint(open_run(run.folder, trust=True)).trusted


@pytest.mark.parametrize("link", ["samples", "samples/test"])
def test_images_are_never_replaced_through_a_link(make_run: Make, tmp_path: Path, link: str) -> None:
    """Somebody may give a run of one's own back with a link in it."""
    run = make_run(tmp_path / "run", metrics=["mse"], baselines=[])
    kept = tmp_path / "images" / "test" / "kept"
    kept.mkdir(parents=True)
    place = run.folder / link
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(tmp_path / "images" if link == "samples" else kept.parent)
    with pytest.raises(DataError, match="a link leads out of"):
        evaluate_run(open_run(run.folder))
    assert list(kept.parent.iterdir()) == [kept]


def test_a_program_is_announced_before_it_is_started(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "_announced", set())
    encoder = use("pose_encoder", "openpose", binary="/opt/openpose.bin")
    with caplog.at_level(logging.WARNING, "skinfw"):
        for _ in range(2):
            build(encoder, PoseEncoder)
    assert caplog.messages == ["the pose_encoder 'openpose' starts the program /opt/openpose.bin"]


def test_a_checkpoint_of_another_version_of_a_plugin_says_so(
    make_run: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    path = make_run(tmp_path / "run").checkpoint()
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["skinfw"])
    about["components"]["generator/pix2pix"] = "their-plugin 0.9"
    save_file(load_file(path), path, metadata={"skinfw": json.dumps(about)})
    for _ in range(2):
        load_generator(read_checkpoint(path), torch.device("cpu"))
    (said,) = caplog.messages
    assert said.startswith(f"{path}: was made with their-plugin 0.9, and skinfw ")
