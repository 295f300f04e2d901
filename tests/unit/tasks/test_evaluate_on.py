"""A run measured on data other than its own, and on its own in another place."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import skinfw
from skinfw.assembly.assemble import build_dataset
from skinfw.cli import main
from skinfw.components.reference import use
from skinfw.errors import DataError, RunError, SpecError, TrustError, UserError
from skinfw.evaluation.compare import compare_runs
from skinfw.preparation.pack import pack
from skinfw.runs.data_record import write_data
from skinfw.runs.folder import Run, open_run
from skinfw.runs.seen import Seen, seen_samples
from skinfw.runs.split_record import make_split, read_split, write_split
from skinfw.specs.spec import inpainting_spec
from skinfw.system.own_folders import own_folder
from skinfw.tasks.choice import make_source
from skinfw.tasks.evaluate_run import evaluate_on, evaluate_run
from skinfw.tasks.inpainting import evaluate_inpainting
from skinfw.tasks.other_data import other_data
from skinfw_plugins.datasets.config import FolderConfig, PhotosConfig, ShardsConfig

Make = Callable[..., Any]


@pytest.fixture
def run(make_run: Make, write_samples: Make, tmp_path: Path) -> Run:
    """A run on twelve samples, with the records that a training leaves."""
    write_samples(tmp_path / "data", [f"p{number}" for number in range(12)])
    dataset = {"type": "folder", "root": str(tmp_path / "data")}
    data = {"dataset": dataset, "size": [32, 32], "test_fraction": 0.3, "validation_fraction": 0.2}
    made: Run = make_run(tmp_path / "run", data=data, baselines=[])
    source = make_source(made.spec)
    write_split(made, make_split(source, made.spec.data))
    write_data(made, source)
    return made


def evaluate(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments), "--device", "cpu"])


def record_of(folder: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return value


def test_a_folder_of_other_samples_is_measured_as_a_whole(
    run: Run, write_samples: Make, tmp_path: Path
) -> None:
    evaluate_run(run)
    before = {path: path.read_bytes() for path in (run.metrics_path, run.report_path)}
    write_samples(tmp_path / "street", ["a", "b", "q1/c"], size=(48, 48))
    done = evaluate(run.folder, "--data", tmp_path / "street")
    assert done.exit_code == 0, done.output
    street = tmp_path / "street"
    assert f"{street}: other data than those of {run.folder}; measuring all 3 samples" in done.stderr
    assert "Warning" not in done.stderr
    assert f"On 3 images of {street} the trained generator reaches skin PSNR" in done.stdout
    folder = run.folder / "evaluations" / "street"
    assert f"Report: {folder / 'report.html'}" in done.stdout
    record = record_of(folder)
    assert record["test"]["names"] == ["a", "b", "q1/c"] and record["test"]["split"] == "all"
    assert record["measured_on"] == {
        "data": str(street), "samples": "all", "seen": {"content": [], "name": []},
    }  # fmt: skip
    assert record["spec"]["data"]["dataset"]["root"] == str(street)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert f"3 images of {street}" in page and 'class="bad"' not in page
    assert (folder / "samples" / "best-1-output.png").is_file()
    assert {path: path.read_bytes() for path in before} == before


KILLED = """
import os, signal, sys
from skinfw.runs.folder import open_run
from skinfw.tasks.evaluate_run import evaluate_run
from skinfw.tasks.inpainting import evaluate_inpainting

evaluate_inpainting.write_report = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
evaluate_run(open_run(sys.argv[1]))
"""


@pytest.mark.parametrize("killed", [True, False])
def test_an_evaluation_that_ends_early_keeps_the_old_report_and_its_images(
    run: Run, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    evaluate_run(run)
    written = sorted(run.test_samples_folder.rglob("*.*"))
    (run.test_samples_folder / "best-9-output.png").write_bytes(b"of the old report")
    old = [run.report_path, *run.test_samples_folder.rglob("*.*")]
    before = {path: path.read_bytes() for path in old}
    if killed:
        command = [sys.executable, "-c", KILLED, str(run.folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode == -signal.SIGKILL, done.stderr
    else:

        def interrupt(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(evaluate_inpainting, "write_report", interrupt)
            with pytest.raises(KeyboardInterrupt):
                evaluate_run(run)
    assert {path: path.read_bytes() for path in old} == before
    left = list(run.samples_folder.glob(".*.tmp"))
    assert len(left) == killed
    evaluate_run(run)
    assert list(run.samples_folder.glob(".*.tmp")) == []
    assert sorted(run.test_samples_folder.rglob("*.*")) == written


def test_the_values_are_those_of_the_written_images(run: Run, write_samples: Make, tmp_path: Path) -> None:
    """An independent way to the same numbers: generate the images, and compare them with NumPy."""
    from skinfw.inference.generate import generate_folder

    write_samples(tmp_path / "street", ["a", "b", "c"])
    values = evaluate_on(run, tmp_path / "street").evaluation.per_image["trained"]["image/psnr"]
    generate_folder(run, tmp_path / "street", tmp_path / "images")
    for name, value in zip("abc", values, strict=True):
        pair = (tmp_path / "images" / f"{name}.png", tmp_path / "street" / name / "body.png")
        one, other = (np.asarray(Image.open(path).convert("RGB"), float) / 255 for path in pair)
        assert value == pytest.approx(-10 * np.log10(((one - other) ** 2).mean()), abs=1e-3)


def test_samples_of_the_training_are_counted_and_named(run: Run, write_samples: Make, tmp_path: Path) -> None:
    split = read_split(run.folder)
    assert split is not None
    street = tmp_path / "street"
    write_samples(street, ["new", split.train[1]])
    shutil.copytree(tmp_path / "data" / split.train[0], street / "copy of one")
    shutil.copytree(tmp_path / "data" / split.test[0], street / "copy of a test sample")
    # another image with a known name
    image = np.asarray(Image.open(street / split.train[1] / "body.png")).copy()
    image[0, 0] ^= 1
    Image.fromarray(image).save(street / split.train[1] / "body.png")
    done = evaluate(run.folder, "--data", street)
    assert done.exit_code == 0, done.output
    told = (
        "the run's training and validation samples include 1 of the 4 measured samples (copy of one) and "
        f"have the names of 1 more ({split.train[1]}); results on known samples are better"
    )
    assert f"Warning: {told} than on new ones" in done.stderr
    folder = run.folder / "evaluations" / "street"
    seen = record_of(folder)["measured_on"]["seen"]
    assert seen == {"content": ["copy of one"], "name": [split.train[1]]}
    assert told.replace("'", "&#39;") in (folder / "report.html").read_text(encoding="utf-8")


def test_a_run_without_records_says_so(run: Run, write_samples: Make, tmp_path: Path) -> None:
    run.split_path.unlink()
    write_samples(tmp_path / "street", ["a"])
    done = evaluate(run.folder, "--data", tmp_path / "street")
    assert "has no split.json, so it is unknown which samples it was trained on" in done.stderr
    assert record_of(run.folder / "evaluations" / "street")["measured_on"]["seen"] is None


def test_without_hashes_the_names_tell(run: Run) -> None:
    run.data_path.unlink()
    split = read_split(run.folder)
    assert split is not None
    source = make_source(run.spec)
    known = [name for name in source.names() if name not in split.test]
    assert seen_samples(run, source, source.names()) == Seen([], known)


def test_data_that_moved_are_recognized(run: Run, tmp_path: Path) -> None:
    before = evaluate_run(run)
    run.metrics_path.unlink()
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    done = evaluate(run.folder, "--data", tmp_path / "elsewhere")
    assert done.exit_code == 0, done.output
    count = len(before.names)
    assert (
        f"{tmp_path / 'elsewhere'}: the data of {run.folder}, with the same content; measuring the {count} "
        "samples of its own test split" in done.stderr
    )
    assert "Warning" not in done.stderr
    record = record_of(run.folder)
    assert record["test"]["values"] == before.to_json()["values"] and "measured_on" not in record
    assert not (run.folder / "evaluations").exists()


def test_data_that_moved_and_changed_are_other_data(run: Run, write_samples: Make, tmp_path: Path) -> None:
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    write_samples(tmp_path / "elsewhere", ["more"])
    split = read_split(run.folder)
    assert split is not None
    done = evaluate(run.folder, "--data", tmp_path / "elsewhere")
    used = len(split.train) + len(split.validation)
    assert f"Warning: the run's training and validation samples include {used} of the 13 meas" in done.stderr
    # the test side of a split: none that the run was trained on
    done = evaluate(run.folder, "--data", tmp_path / "elsewhere", "--split", "test")
    assert done.exit_code == 0, done.output
    names = record_of(run.folder / "evaluations" / "elsewhere-test")["test"]["names"]
    assert set(split.test) <= {*names} <= {*split.test, "more"} and "Warning" not in done.stderr


def test_all_samples_of_its_own_data_are_measured_on_request(run: Run) -> None:
    done = evaluate(run.folder, "--split", "all")
    assert done.exit_code == 0, done.output
    assert " of the 12 measured samples (" in done.stderr
    record = record_of(run.folder / "evaluations" / "own_data")
    assert len(record["test"]["names"]) == 12 and not run.metrics_path.exists()


def test_its_own_test_samples_are_measured_into_another_folder(run: Run, tmp_path: Path) -> None:
    evaluate_on(run, output=tmp_path / "results")
    assert not run.metrics_path.exists()
    evaluate_run(run)
    assert not compare_runs([run.folder, tmp_path / "results"]).warnings()
    folders = (run.folder, tmp_path / "results")
    kinds = [own_folder({path.name for path in folder.iterdir()}) for folder in folders]
    assert kinds == ["a run", "an evaluation"]  # whose images are not read as photos later
    assert record_of(tmp_path / "results")["measured_on"]["data"] == "the data of the run"


def test_a_failed_evaluation_leaves_no_folder(run: Run, write_samples: Make, tmp_path: Path) -> None:
    write_samples(tmp_path / "street", ["a"])
    (tmp_path / "street" / "a" / "body.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"body\.png"):
        evaluate_on(run, tmp_path / "street", output=tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_nothing_is_overwritten_unasked(run: Run, write_samples: Make, tmp_path: Path) -> None:
    write_samples(tmp_path / "street", ["a"])
    output = tmp_path / "results"
    arguments = (run.folder, "--data", tmp_path / "street", "--output", output)
    assert evaluate(*arguments).exit_code == 0
    before = (output / "metrics.json").stat().st_mtime_ns
    done = evaluate(*arguments)
    assert done.exit_code == 2 and "already holds results; replace them with --overwrite" in done.stderr
    assert (output / "metrics.json").stat().st_mtime_ns == before
    assert evaluate(*arguments, "--overwrite").exit_code == 0
    assert (output / "metrics.json").stat().st_mtime_ns > before
    for folder, words in (
        (run.folder, "is a run folder, whose own results stay"),
        (tmp_path / "street", "holds files other than results"),
        (tmp_path / "street" / "a" / "body.png", "is a file"),
    ):
        done = evaluate(*arguments[:-1], folder, "--overwrite")
        assert done.exit_code == 2 and words in done.stderr


def test_a_description_in_json_is_read_from_a_file_text_and_value(
    run: Run, write_samples: Make, tmp_path: Path
) -> None:
    write_samples(tmp_path / "street", ["a"])
    file = tmp_path / "night.json"
    file.write_text('{"type": "folder", "root": "street"}', encoding="utf-8")  # from the file's folder
    text = json.dumps({"type": "folder", "root": str(tmp_path / "street")})
    value = use("dataset", "folder", root=tmp_path / "street")
    found = [other_data(run.spec, each) for each in (file, text, json.loads(text), value)]
    assert {each.spec.data.dataset.config.root for each in found} == {tmp_path / "street"}  # type: ignore[union-attr]
    assert [each.name for each in found] == ["night", "street", "street", "street"]
    people = other_data(run.spec, {"type": "mannequins", "count": 3})
    assert (people.label, people.name) == ("mannequins", "mannequins")


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (
            "nowhere",
            DataError,
            "nowhere: no such folder or file; give a folder of samples or photos",
        ),
        ('{"type": "folder", "rot": "x"}', SpecError, r"\$\.rot: unknown field; did you mean 'root'"),
        ('{"type": "foldr"}', SpecError, "did you mean 'folder'"),
        ("{not JSON", SpecError, "not valid JSON"),
    ],
)
def test_wrong_data_are_one_clear_error(run: Run, data: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        evaluate_on(run, data)
    assert not (run.folder / "evaluations").exists()


def test_a_run_on_drawn_people_reads_samples_and_nothing_else(
    make_run: Make, write_samples: Make, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run", baselines=[])
    write_samples(tmp_path / "samples", ["a", "b"])
    assert evaluate_on(run, tmp_path / "samples").evaluation.names == ["a", "b"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"holds no samples, and the run's data set 'mannequins' is not read"):
        evaluate_on(run, tmp_path / "empty")


def test_the_places_of_a_data_set_move_with_it(make_run: Make, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    new.mkdir()
    encoder = {"type": "openpose", "folder": str(old / "poses"), "binary": "/opt/openpose"}
    photos = {"type": "photos", "root": str(old), "pose_encoder": encoder, "cache": str(tmp_path / "cache")}
    run = make_run(tmp_path / "run")
    spec = skinfw.Pipeline(run.spec, data={"dataset": photos, "size": [32, 32]}).spec
    found = other_data(spec, new)
    config = found.spec.data.dataset.config  # type: ignore[union-attr]
    assert isinstance(config, PhotosConfig) and config.cache is None
    assert config.root == new and config.pose_encoder.config.folder == new / "poses"  # type: ignore[attr-defined]
    # what the user named is allowed, a program is not
    assert {each.value for each in found.given} == {str(new), str(new / "poses")}
    climbing = FolderConfig(root=Path(f"{old}/../../etc"))
    moved = FolderConfig(root=old).elsewhere(new)
    assert moved.root == new and climbing.elsewhere(new).root == new


def test_other_shards_are_described_or_found_by_their_folder(
    run: Run, write_samples: Make, tmp_path: Path
) -> None:
    write_samples(tmp_path / "street", ["a", "b"])
    pack(tmp_path / "street", tmp_path / "shards")
    expected = evaluate_on(run, tmp_path / "street", output=tmp_path / "1").evaluation.values
    described = {"type": "shards", "root": str(tmp_path / "shards")}
    assert evaluate_on(run, described, output=tmp_path / "2").evaluation.values == expected
    with pytest.raises(DataError, match="it contains packed samples; use the data set"):
        evaluate_on(run, tmp_path / "shards", output=tmp_path / "3")
    moved = ShardsConfig(root="s3://bucket/shards").elsewhere(tmp_path / "shards")
    assert moved == ShardsConfig(root=str(tmp_path / "shards"))


def test_samples_of_another_shape_are_rejected(run: Run, write_samples: Make, tmp_path: Path) -> None:
    write_samples(tmp_path / "wide", ["a"], size=(32, 64))
    with pytest.raises(DataError, match=r"a: 32x64 pixels, 0\.50 times as high as wide; the run was trained"):
        evaluate_on(run, tmp_path / "wide")


def test_a_strangers_run_reads_what_the_user_names_and_nothing_else(
    run: Run, write_samples: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_samples(tmp_path / "street", ["a"])
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another user"))
    opened = open_run(run.folder)
    with pytest.raises(TrustError, match="names a path"):
        evaluate_run(opened)
    assert evaluate_on(opened, tmp_path / "street").evaluation.names == ["a"]


def test_results_on_the_same_other_data_are_compared(
    run: Run, make_run: Make, write_samples: Make, tmp_path: Path
) -> None:
    write_samples(tmp_path / "street", ["a", "b"])
    other = make_run(tmp_path / "other", data=run.spec.to_json()["data"], composite="none", baselines=[])
    for each in (run, other):
        evaluate_on(each, tmp_path / "street")
    folders = [each.folder / "evaluations" / "street" for each in (run, other)]
    comparison = compare_runs(folders)
    assert not comparison.warnings()
    assert comparison.differences() == {"composite": ["skin", "none"]}
    evaluate_run(run)
    assert any("different test samples" in each for each in compare_runs([folders[0], run.folder]).warnings())


def test_the_evaluations_go_when_the_run_is_replaced(run: Run, write_samples: Make, tmp_path: Path) -> None:
    from skinfw.runs.create import create_run

    write_samples(tmp_path / "street", ["a"])
    evaluate_on(run, tmp_path / "street")
    create_run(run.spec, run.folder, overwrite=True)
    assert not (run.folder / "evaluations").exists()


@pytest.mark.parametrize("form", ["folder", "json"])
def test_a_segmenter_is_measured_on_other_photos(
    form: str, segmentation_spec: Make, write_labeled_photos: Make, tmp_path: Path
) -> None:
    write_labeled_photos(tmp_path / "photos", 20)
    spec = segmentation_spec(tmp_path / "photos", training={"steps": 1, "batch_size": 4, "device": "cpu"})
    run = skinfw.run(spec, output=tmp_path / "run")
    before = run.metrics_path.read_bytes()
    split = read_split(run.folder)
    assert split is not None
    (tmp_path / "street").mkdir()
    for name, target in ((split.train[0], "copy.png"), (split.test[0], "test.png")):
        photo = tmp_path / "photos" / name
        shutil.copy(photo, tmp_path / "street" / target)
        labels = photo.with_name(f"{photo.stem}_segment.png")
        shutil.copy(labels, tmp_path / "street" / target.replace(".png", "_segment.png"))
    data = tmp_path / "street" if form == "folder" else json.dumps({"root": str(tmp_path / "street")})
    done = evaluate(run.folder, "--data", data)
    assert done.exit_code == 0, done.output
    told = "the run's training and validation samples include 1 of the 2 measured samples (copy.png)"
    assert told in done.stderr
    record = record_of(run.folder / "evaluations" / "street")
    assert record["test"]["names"] == ["copy.png", "test.png"]
    assert record["spec"]["data"]["root"] == str(tmp_path / "street")
    assert run.metrics_path.read_bytes() == before
    # the same photos elsewhere
    (tmp_path / "photos").rename(tmp_path / "moved")
    done = evaluate(run.folder, "--data", tmp_path / "moved")
    assert done.exit_code == 0 and "samples of its own test split" in done.stderr, done.output
    with pytest.raises(SpecError, match=r"\$\.size: unknown field \(allowed: root, labels, classes\)"):
        evaluate_on(run, {"root": "x", "size": [1, 1]})
    with pytest.raises(RunError, match="the network has the classes background, skin"):
        evaluate_on(run, {"root": str(tmp_path / "moved"), "classes": "all"})


def write_targets(run: Run, folder: Path) -> dict[str, str]:
    """Write the true images of a run's samples; return a baseline that shows them."""
    dataset = build_dataset(inpainting_spec(run.spec, "run"))
    for name in dataset.names():
        path = folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(dataset.load(name)["body"]).save(path)
    return {"type": "images", "folder": str(folder), "label": "other"}


def test_baselines_are_added_to_a_finished_run(run: Run, tmp_path: Path) -> None:
    evaluate_run(run)
    before = record_of(run.folder)["test"]["values"]
    other = write_targets(run, tmp_path / "other")
    done = evaluate(run.folder, "--baseline", json.dumps(other), "--baseline", "opencv_inpaint")
    assert done.exit_code == 0, done.output
    values = record_of(run.folder)["test"]["values"]
    assert list(values) == [*before, "other", "opencv_inpaint"]
    assert values["other"]["skin/psnr"] == 100
    assert values["trained"] == before["trained"]
    assert "other" in done.stdout
    origins = record_of(run.folder)["baselines"]
    assert origins["other"]["component"] == {**other, "seconds_per_image": None, "peak_mib": None}
    assert list(origins) == ["other", "opencv_inpaint"]
    # only if they are named
    evaluate_run(run)
    assert list(record_of(run.folder)["test"]["values"]) == list(before)
    for baseline, message in (
        ("pix2pix", "'pix2pix' is trainable; it is not a baseline"),
        ("none", "unknown generator 'none'"),
        (json.dumps({**other, "label": "target"}), "'target' is what reports call something else"),
        (json.dumps({**other, "label": "mean_color"}), "'mean_color' is what reports call something"),
        (json.dumps({**other, "folder": str(tmp_path / "none")}), "no such folder"),
        (json.dumps({"type": "onnx", "path": str(tmp_path / "no.onnx")}), "no such ONNX file"),
    ):
        done = evaluate(run.folder, "--baseline", baseline)
        assert done.exit_code == 2 and message in done.stderr, done.output
    assert list(record_of(run.folder)["test"]["values"]) == list(before)


def test_a_strangers_run_may_have_baselines_that_the_user_names(
    make_run: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "run", baselines=[])
    other = write_targets(run, tmp_path / "other")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another user"))
    evaluation = evaluate_on(open_run(run.folder), baselines=[other]).evaluation
    assert evaluation.values["other"]["skin/psnr"] == 100
