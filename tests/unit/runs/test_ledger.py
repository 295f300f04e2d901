"""The rows of a run's ledger, and the check before training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from skinfw.cli import main
from skinfw.components.trust import named_outside
from skinfw.components.weights import file_sha256
from skinfw.errors import SpecError
from skinfw.licenses.ledger import LedgerRow
from skinfw.runs.create import create_run
from skinfw.runs.ledger import ledger_of, require_permitted
from skinfw.runs.trained import open_trained
from skinfw.specs.spec import AnySpec, parse_spec
from skinfw.tasks.evaluate_run import evaluate_run

Make = Callable[..., Any]


@pytest.fixture
def spec(tiny_spec: Make) -> Make:
    """Make a parsed spec."""

    def make(**fields: Any) -> AnySpec:
        return parse_spec(tiny_spec(**fields))

    return make


def rows_of(spec: AnySpec, **options: Any) -> dict[str, LedgerRow]:
    return {row.name: row for row in ledger_of(spec, **options).rows}


def photos(root: Path, kind: str = "photos", **fields: Any) -> dict[str, Any]:
    return {"dataset": {"type": kind, "root": str(root), **fields}, "size": [32, 32]}


def test_a_run_on_drawn_people_uses_nothing_that_restricts(spec: Make) -> None:
    ledger = ledger_of(spec(), data_sha256="ab" * 32)
    assert ledger.verdict == "yes", ledger.summary
    rows = {row.name: row for row in ledger.rows}
    assert {"skinfw", "torch", "torchvision", "numpy"} <= set(rows)
    assert "generator pix2pix" in rows["skinfw"].used_by
    assert (rows["mannequins"].kind, rows["mannequins"].sha256) == ("data", "ab" * 32)


@pytest.mark.parametrize(
    ("kind", "license", "commercial"),
    [
        ("photos", None, "unknown"),
        ("folder", None, "unknown"),
        ("viton_hd", "CC-BY-NC-4.0", "no"),
        ("dress_code", "LicenseRef-Dress-Code", "no"),
        ("deepfashion_multimodal", "LicenseRef-DeepFashion", "no"),
    ],
)
def test_data_sets_declare_their_license(
    spec: Make, tmp_path: Path, kind: str, license: str | None, commercial: str
) -> None:
    row = rows_of(spec(data=photos(tmp_path, kind)))[kind]
    assert (row.license, row.commercial) == (license, commercial)
    assert bool(row.stated) == bool(row.address) == (license is not None)


def test_weights_that_components_download(spec: Make, tmp_path: Path) -> None:
    metrics = ["psnr", "lpips", {"type": "kernel_distance", "net": "efficientnet_lite0"}]
    data = photos(tmp_path, segmenter="skin_color", pose_encoder="mediapipe")
    rows = rows_of(spec(metrics=metrics, data=data))
    alex = rows["alexnet-owt-7be5be79.pth"]
    assert (alex.license, alex.commercial) == ("LicenseRef-torchvision-pretrained", "unknown")
    assert "ImageNet" in alex.note and alex.used_by == ("metric lpips",)
    assert rows["tf_efficientnet_lite0-0aa007d2.pth"].commercial == "unknown"
    landmarker = rows["pose_landmarker_full.task"]
    assert (landmarker.license, landmarker.commercial) == ("Apache-2.0", "yes")


def test_encoders_of_libraries_are_unknown_and_bodypix_is_not(spec: Make) -> None:
    def of(**generator: Any) -> dict[str, LedgerRow]:
        made = {"type": "smp_unet", "base_channels": 4, "encoder_depth": 3, **generator}
        return {name: row for name, row in rows_of(spec(generator=made)).items() if row.kind == "weights"}

    assert of(encoder="resnet18") == {}
    (row,) = of(encoder="resnet18", encoder_weights="imagenet").values()
    assert (row.name, row.license, row.commercial) == ("resnet18.imagenet", None, "unknown")
    (row,) = of(encoder="bodypix_050", encoder_weights="bodypix").values()
    assert (row.license, row.commercial) == ("Apache-2.0", "yes")
    assert row.stated.startswith("https://github.com/tensorflow/tfjs-models/")


def test_a_file_is_known_by_its_hash_or_not_at_all(
    spec: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from skinfw_plugins.networks import bodypix_config

    own = tmp_path / "own.onnx"
    own.write_bytes(b"bodypix")
    data = photos(tmp_path, segmenter={"type": "bodypix", "weights": str(own)})
    row = rows_of(spec(data=data))["own.onnx"]
    assert (row.license, row.commercial) == (None, "unknown")
    assert row.sha256 == hashlib.sha256(b"bodypix").hexdigest()
    monkeypatch.setitem(bodypix_config.SHA256, (0.5, 8), row.sha256)
    row = rows_of(spec(data=data))["own.onnx"]
    assert (row.license, row.commercial) == ("Apache-2.0", "yes")
    # of a foreign run, nothing that it names is read
    assert rows_of(spec(data=data), read=False)["own.onnx"].sha256 == ""


def test_a_model_on_a_hub_is_somebody_elses(spec: Make, tmp_path: Path) -> None:
    for segmenter, name in (
        ({"type": "huggingface", "model": "owner/net", "labels": "atr", "revision": "v1"}, "owner/net"),
        ({"type": "parser", "path": "hub:owner/parser@v1"}, "owner/parser"),
    ):
        row = rows_of(spec(data=photos(tmp_path, segmenter=segmenter)))[name]
        assert (row.license, row.commercial, row.revision) == (None, "unknown", "v1")
        assert row.address == f"https://huggingface.co/{name}"


def test_a_trained_parser_brings_the_rows_of_its_run(
    spec: Make, make_run: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the ledger asks no task of the run
    run = make_run(tmp_path / "inner", metrics=["psnr", "lpips"])
    data = photos(tmp_path, segmenter={"type": "parser", "path": str(run.folder)})
    rows = rows_of(spec(data=data))
    assert rows["inner"].sha256 == file_sha256(run.checkpoint())
    assert (rows["inner"].commercial, rows["inner"].note[:19]) == ("unknown", "trained with skinfw")
    assert rows["alexnet-owt-7be5be79.pth"].used_by == ("inner",)
    assert rows["mannequins"].used_by == ("inner",)
    started = {"epochs": 1, "batch_size": 4, "initial_weights": str(run.folder)}
    assert rows_of(spec(training=started))["inner"].used_by == ("training",)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
    rows = rows_of(spec(data=data))
    assert (rows["inner"].commercial, rows["inner"].note) == ("unknown", "somebody else trained it")
    assert "mannequins" not in rows


def test_a_coarse_run_brings_the_rows_of_its_run(spec: Make, make_run: Make, tmp_path: Path) -> None:
    coarse = {"type": "pix2pix", "base_channels": 4}
    run = make_run(tmp_path / "coarse", generator=coarse, metrics=["psnr", "lpips"])
    made = {"type": "two_stage", "coarse": coarse, "coarse_run": str(run.folder)}
    rows = rows_of(spec(generator=made))
    assert rows["coarse"].sha256 == file_sha256(run.checkpoint())
    assert rows["coarse"].used_by == ("generator two_stage",)
    assert rows["alexnet-owt-7be5be79.pth"].used_by == ("coarse",)


def test_folders_of_networks_are_unknown(spec: Make, tmp_path: Path) -> None:
    pipeline = {"type": "diffusers", "path": str(tmp_path / "sd-inpainting")}
    parser = {"type": "huggingface", "model": str(tmp_path / "segformer"), "labels": "atr"}
    rows = rows_of(spec(baselines=[pipeline], data=photos(tmp_path, segmenter=parser)))
    for name, user in (
        ("sd-inpainting", "generator diffusers"),
        ("segformer", "segmenter huggingface"),
    ):
        row = rows[name]
        assert (row.kind, row.license, row.commercial, row.used_by) == ("weights", None, "unknown", (user,))


def test_runs_may_name_each_other(spec: Make, make_run: Make, tmp_path: Path) -> None:
    def training(name: str) -> dict[str, Any]:
        return {"epochs": 1, "batch_size": 4, "initial_weights": str(tmp_path / name)}

    make_run(tmp_path / "a", training=training("b"))
    make_run(tmp_path / "b", training=training("a"))
    rows = rows_of(spec(training=training("a")))
    assert rows["a"].used_by == ("training",) and rows["b"].used_by == ("a",)


@pytest.mark.parametrize("name", ["skinfw:gone", "hub:nobody"])
def test_names_in_old_specs_that_mean_nothing_are_unknown(tiny_spec: Make, name: str) -> None:
    value = tiny_spec(training={"epochs": 1, "batch_size": 4, "initial_weights": name})
    with pytest.raises(SpecError, match=r"\$.training.initial_weights: " + name):
        parse_spec(value)
    row = rows_of(parse_spec(value, stored=True))[name]
    assert (row.license, row.commercial) == (None, "unknown") and row.note.startswith(name)


def test_what_the_user_declares_replaces_what_is_known(spec: Make, tmp_path: Path) -> None:
    declared = {
        "photos": {"license": "licenseref-agreement", "address": "https://example.org", "commercial": "yes"},
        "alexnet-owt-7be5be79.pth": {"license": "mit", "note": "our counsel agreed"},
    }
    licenses = {"commercial": True, "declared": declared}
    made = spec(data=photos(tmp_path), metrics=["psnr", "lpips"], licenses=licenses)
    rows = rows_of(made)
    assert (rows["photos"].license, rows["photos"].commercial) == ("LicenseRef-agreement", "yes")
    assert rows["photos"].address == "https://example.org"
    alex = rows["alexnet-owt-7be5be79.pth"]
    assert (alex.license, alex.commercial) == ("MIT", "yes")
    assert alex.note == "declared in the spec: our counsel agreed"
    assert ledger_of(made).verdict == "yes"
    require_permitted(made, "spec")
    # an address that is only cited is nothing that a foreign run would open
    assert not any("example.org" in each.value for each in named_outside(made, training=True))


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({"photo": {"license": "MIT"}}, r"declared: the run uses no 'photo'; did you mean 'photos'\?"),
        ({"photos": {"license": "my own"}}, r"declared.photos.license: not an SPDX expression"),
        ({"photos": {"commercial": "yes"}}, r"declared.photos.license"),
    ],
)
def test_wrong_declarations(spec: Make, tmp_path: Path, declared: dict[str, Any], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        require_permitted(spec(data=photos(tmp_path), licenses={"declared": declared}), "spec")


def test_training_stops_before_it_begins_and_names_the_rows(tiny_spec: Make, tmp_path: Path) -> None:
    value = tiny_spec(
        data=photos(tmp_path / "absent", "viton_hd"),
        metrics=["psnr", "lpips"],
        licenses={"commercial": True},
    )
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    for command in (["run", str(path), "-o", str(tmp_path / "run")], ["validate", str(path)]):
        done = CliRunner().invoke(main, command)
        assert done.exit_code == 2
        lines = done.stderr.splitlines()
        assert len(lines) == 3 and lines[0].endswith("2 errors")
        assert "data viton_hd (CC-BY-NC-4.0; commercial use: no)" in lines[1]
        assert "weights alexnet-owt-7be5be79.pth" in lines[2] and "used by metric lpips" in lines[2]
    assert not (tmp_path / "run").exists()


def test_the_verdict_is_in_metrics_and_report(make_run: Make, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    environment = json.loads(run.environment_path.read_text())
    run.environment_path.write_text(json.dumps({**environment, "hooks": {"skinfw-nobody": "1.0"}}))
    evaluate_run(open_trained(run.folder, "best"))
    record = json.loads(run.metrics_path.read_text(encoding="utf-8"))["licenses"]
    assert record["verdict"] == "unknown"
    rows = {row["name"]: row for row in record["rows"]}
    assert rows["skinfw-nobody"]["used_by"] == ["hooks"]
    report = run.report_path.read_text(encoding="utf-8")
    folded = report.partition("<details><summary>Licenses: commercial use unknown</summary>")[2]
    assert "code skinfw-nobody (license unknown" in folded.partition("</details>")[0]


def test_licenses_do_not_keep_a_run_from_resuming(make_run: Make, tiny_spec: Make, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    declared = {"mannequins": {"license": "CC0-1.0"}}
    licensed = parse_spec(tiny_spec(licenses={"commercial": True, "declared": declared}))
    create_run(licensed, run.folder, resume=True)
    assert rows_of(open_trained(run.folder, "best").spec)["mannequins"].license == "CC0-1.0"
