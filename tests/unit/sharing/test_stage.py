"""The folder that is shared, and its model card."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard
from safetensors.torch import save_file

from skinfw.components.weights import file_sha256
from skinfw.errors import RunError, UserError
from skinfw.evaluation.results import Evaluation
from skinfw.export import export as exporting
from skinfw.models.hub import WEIGHTS
from skinfw.runs.checkpoint_header import KEY
from skinfw.runs.checkpoints import read_checkpoint, save_checkpoint
from skinfw.runs.folder import Run, open_run
from skinfw.runtime.metadata import read_metadata
from skinfw.sharing.results import shared_results
from skinfw.sharing.stage import stage

REPO = "me/tiny"


def made(path: Path) -> Path:
    path.mkdir()
    return path


def test_the_card_holds_what_was_measured(run: Run, tmp_path: Path) -> None:
    stage(run, tmp_path, REPO, license_expression="cc-by-4.0", export=False)
    card = ModelCard.load(tmp_path / "README.md")
    assert (card.data.license, card.data.library_name) == ("cc-by-4.0", "skinfw")
    measured = Evaluation.from_json(json.loads(run.metrics_path.read_text())["test"])
    results = {each.metric_name: each.metric_value for each in card.data.eval_results or []}
    assert results["skin PSNR"] == measured.values["trained"]["skin/psnr"]
    assert {each.dataset_type for each in card.data.eval_results or []} == {"mannequins"}
    text = card.text
    for part in ("## Intended use", "## Unsuitable use", "## By skin tone", "opencv_inpaint", "Undressing"):
        assert part in text
    assert f"| {measured.values['mean_color']['skin/psnr']:.2f} |" in text.replace("**", "")
    code = text.partition("```python\n")[2].partition("```")[0]
    assert len(code.splitlines()) == 3 and "hub:me/tiny" in code


def test_means_by_skin_tone_in_the_card_are_those_of_the_metrics(run: Run, tmp_path: Path) -> None:
    stage(run, tmp_path, REPO, export=False)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    record = json.loads(run.metrics_path.read_text())
    # the fifths of 4 test images: one image each, so that an independent mean is the value itself
    fifths = record["skin_tones"]["fifths"]["skin/psnr"]["trained"]
    for name, group in fifths.items():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
        assert f"| {group['mean']:.2f} |" in row, "one image has no interval"


def test_photos_are_shown_only_if_their_license_permits(run: Run, tmp_path: Path) -> None:
    drawn = stage(run, made(tmp_path / "drawn"), REPO, export=False)
    assert "images/best.webp" in drawn.files
    copy = tmp_path / "copy"
    shutil.copytree(run.folder, copy)
    record = json.loads((copy / "metrics.json").read_text())
    for row in record["licenses"]["rows"]:
        if row["kind"] == "data":
            row.update(license=None, commercial="unknown")
    (copy / "metrics.json").write_text(json.dumps(record))
    unknown = stage(open_run(copy), made(tmp_path / "unknown"), REPO, export=False)
    assert not any(name.startswith("images/") for name in unknown.files)
    assert "images/" not in (tmp_path / "unknown" / "README.md").read_text(encoding="utf-8")
    assert unknown.ledger.verdict == "unknown"
    for row in record["licenses"]["rows"]:
        if row["kind"] == "data":
            row.update(license="CC-BY-4.0", commercial="no")
    (copy / "metrics.json").write_text(json.dumps(record))
    limited = stage(open_run(copy), made(tmp_path / "limited"), REPO, export=False)
    assert not any(name.startswith("images/") for name in limited.files)


def test_a_license_that_the_ledger_forbids(run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run.folder, copy)
    record = json.loads((copy / "metrics.json").read_text())
    record["licenses"]["rows"][-1].update(license="CC-BY-NC-4.0", commercial="no")
    (copy / "metrics.json").write_text(json.dumps(record))
    with pytest.raises(UserError, match=r"license MIT: permits commercial use.*data mannequins"):
        stage(open_run(copy), made(tmp_path / "a"), REPO, license_expression="mit", export=False)
    with pytest.raises(UserError, match="license 'none of them'"):
        stage(open_run(copy), made(tmp_path / "b"), REPO, license_expression="none of them", export=False)
    stage(open_run(copy), made(tmp_path / "c"), REPO, license_expression="LicenseRef-own", export=False)
    front = yaml.safe_load((tmp_path / "c" / "README.md").read_text(encoding="utf-8").split("---")[1])
    assert (front["license"], front["license_name"]) == ("other", "LicenseRef-own")


def test_results_of_other_weights_are_rejected(run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run.folder, copy)
    record = json.loads((copy / "metrics.json").read_text())
    record["checkpoint"]["sha256"] = "0" * 64
    (copy / "metrics.json").write_text(json.dumps(record))
    with pytest.raises(UserError, match=r"is about other weights than .*skinfw evaluate"):
        stage(open_run(copy), made(tmp_path / "a"), REPO, export=False)
    (copy / "metrics.json").unlink()
    with pytest.raises(UserError, match=r"has no metrics.json; measure it"):
        stage(open_run(copy), made(tmp_path / "b"), REPO, export=False)


@pytest.mark.parametrize("exportable", [True, False])
def test_the_exported_network_is_shared_if_it_can_be_exported(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    exportable: bool,
) -> None:
    def export(of: Run, path: Path, **options: Any) -> None:
        assert (of, options) == (run, {"script": False})
        if not exportable:
            raise RunError("torch cannot export it")
        path.write_bytes(b"onnx")

    monkeypatch.setattr(exporting, "export_run", export)
    with caplog.at_level(logging.WARNING, "skinfw"):
        staged = stage(run, tmp_path, REPO)
    assert ("model.onnx" in staged.files) is exportable
    assert ("`model.onnx`" in (tmp_path / "README.md").read_text(encoding="utf-8")) is exportable
    assert [each.getMessage() for each in caplog.records] == (
        [] if exportable else ["shared without model.onnx: torch cannot export it"]
    )


def with_spec(run: Run, folder: Path, part: str, **values: Any) -> Run:
    """Copy a run, and change its spec."""
    shutil.copytree(run.folder, folder)
    spec = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
    spec[part].update(values)
    (folder / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    return open_run(folder)


def copied(run: Run, folder: Path) -> Run:
    shutil.copytree(run.folder, folder / "copy")
    return open_run(folder / "copy")


def with_record(run: Run, unavailable: dict[str, str] | None = None, **values: Any) -> Run:
    """Change what a run says in its results, or of its components, and let its checkpoint have its spec."""
    best = read_checkpoint(run.checkpoint())
    more = {key: value for key, value in best.about.items() if key in ("aspects", "classes")}
    save_checkpoint(run.checkpoint(), best.tensors, run.spec, best.progress, **more)
    if "components" in values:
        about = {**read_checkpoint(run.checkpoint()).about, "components": values.pop("components")}
        save_file(dict(best.tensors), run.checkpoint(), metadata={KEY: json.dumps(about)})
    record = {**json.loads(run.metrics_path.read_text(encoding="utf-8")), **values}
    record["checkpoint"]["sha256"] = file_sha256(run.checkpoint())
    if unavailable is not None:
        record["test"]["unavailable"] = unavailable
    run.metrics_path.write_text(json.dumps(record), encoding="utf-8")
    return run


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def placed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The run as if it had been trained on photos, with places of somebody's machine."""
    monkeypatch.setenv("SKINFW_DATA", "/mnt/anna/data")
    program = {"type": "openpose", "binary": "/opt/anna/openpose.bin"}
    photos = {"type": "photos", "root": "$SKINFW_DATA/street", "pose_encoder": program}
    copy = with_spec(run, tmp_path / "first", "data", dataset=photos)
    copy = with_spec(copy, tmp_path / "placed", "training", initial_weights="/home/anna/run")
    unavailable = {"limbs": "/mnt/anna/data/street/a.jpg: no pose; see /home/anna/run/log"}
    return with_record(copy, unavailable)


def test_places_on_this_machine_are_not_shared(
    placed: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert b"anna" in placed.checkpoint().read_bytes()
    with caplog.at_level(logging.WARNING, "skinfw"):
        stage(placed, made(tmp_path / "staged"), REPO, export=False)
    (warning,) = [each.getMessage() for each in caplog.records]
    assert warning.endswith("only as names: /home/anna/run, /opt/anna/openpose.bin")
    assert b"anna" not in contents(tmp_path / "staged")
    spec = json.loads((tmp_path / "staged" / "spec.json").read_text(encoding="utf-8"))
    assert spec["data"]["dataset"]["root"] == "$SKINFW_DATA/street"
    assert spec["data"]["dataset"]["pose_encoder"]["binary"] == "openpose.bin"
    assert spec["training"]["initial_weights"] == "run"
    record = json.loads((tmp_path / "staged" / "metrics.json").read_text(encoding="utf-8"))
    assert record["test"]["unavailable"] == {"limbs": "street/a.jpg: no pose; see run/log"}


def test_a_run_without_its_places_is_the_same_network(placed: Run, tmp_path: Path) -> None:
    stage(placed, made(tmp_path / "staged"), REPO, export=False)
    shared = open_run(tmp_path / "staged")
    ours, theirs = read_checkpoint(placed.checkpoint()), read_checkpoint(shared.checkpoint())
    assert ours.tensors.keys() == theirs.tensors.keys()
    assert all(ours.tensors[name].equal(tensor) for name, tensor in theirs.tensors.items())
    assert theirs.spec == shared.spec and theirs.progress == ours.progress
    # nobody signed this spec
    assert ours.trusted and not theirs.trusted
    # the results are about these weights
    sha256 = hashlib.sha256(shared.checkpoint().read_bytes()).hexdigest()
    assert shared_results(shared).record["checkpoint"]["sha256"] == sha256
    assert sha256 in (tmp_path / "staged" / "README.md").read_text(encoding="utf-8")


def test_an_exported_network_does_not_name_the_places_either(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    declared = {"mannequins": {"license": "CC0-1.0", "address": "/home/anna/photos"}}
    copy = with_record(with_spec(run, tmp_path / "copy", "licenses", declared=declared))
    stage(copy, made(tmp_path / "staged"), REPO)
    content = (tmp_path / "staged" / "model.onnx").read_bytes()
    about = read_metadata(tmp_path / "staged" / "model.onnx")
    assert about.spec == json.loads((tmp_path / "staged" / "spec.json").read_text(encoding="utf-8"))
    assert about.checkpoint_sha256 == file_sha256(tmp_path / "staged" / "checkpoints/best.safetensors")
    assert about.ledger is not None and about.license == about.ledger.summary
    for place in ("anna", str(Path.cwd()), sys.prefix, str(tmp_path)):
        assert place.encode() not in content


def test_a_declared_address_does_not_keep_a_place(placed: Run, tmp_path: Path) -> None:
    declared = {
        "photos": {"license": "CC0-1.0", "address": "/home/anna/run", "stated": "https://example.org/a/b"},
        "r": {"license": "CC0-1.0", "note": "at file:///home/anna/note"},
    }
    copy = with_record(with_spec(placed, tmp_path / "copy", "licenses", declared=declared))
    stage(copy, made(tmp_path / "staged"), REPO, export=False)
    assert b"anna" not in contents(tmp_path / "staged")
    spec = json.loads((tmp_path / "staged" / "spec.json").read_text(encoding="utf-8"))
    about = spec["licenses"]["declared"]["photos"]
    assert (about["address"], about["stated"]) == ("run", "https://example.org/a/b")


def test_places_behind_variables_are_not_shared_in_results(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SKINFW_DATA", "/anna data")
    photos = {"type": "photos", "root": "$SKINFW_DATA/street"}
    unavailable = {"limbs": "/anna data/street/a.jpg: no pose"}
    copy = with_record(with_spec(run, tmp_path / "copy", "data", dataset=photos), unavailable=unavailable)
    spec = copy.spec_path.read_bytes()
    stage(copy, made(tmp_path / "staged"), REPO, export=False)
    assert (tmp_path / "staged" / "spec.json").read_bytes() == spec
    assert (tmp_path / "staged" / WEIGHTS).read_bytes() == copy.checkpoint().read_bytes()
    record = json.loads((tmp_path / "staged" / "metrics.json").read_text(encoding="utf-8"))
    assert record["test"]["unavailable"] == {"limbs": "street/a.jpg: no pose"}
    assert not caplog.records


def test_places_of_added_baselines_are_not_shared(run: Run, tmp_path: Path) -> None:
    component = {"type": "images", "folder": "/home/anna b/results"}
    baselines = {"images": {"component": component, "fingerprint": "0"}}
    unavailable = {"/home/anna b/results/x": "/home/anna b/results/a.png is missing"}
    copy = with_record(copied(run, tmp_path), baselines=baselines, unavailable=unavailable)
    stage(copy, made(tmp_path / "staged"), REPO, export=False)
    record = json.loads((tmp_path / "staged" / "metrics.json").read_text(encoding="utf-8"))
    assert record["baselines"]["images"]["component"] == {"type": "images", "folder": "results"}
    assert record["test"]["unavailable"] == {"results/x": "results/a.png is missing"}


def test_places_of_providers_are_not_shared(run: Run, tmp_path: Path) -> None:
    provider = "/home/anna b/registry.toml"
    copy = copied(run, tmp_path)
    record = json.loads(copy.metrics_path.read_text(encoding="utf-8"))
    record["licenses"]["rows"][0].update(name=provider, commercial="unknown", used_by=[f"loss of {provider}"])
    copy.metrics_path.write_text(json.dumps(record), encoding="utf-8")
    copy = with_record(copy, components={"generator/pix2pix": provider})
    staged = stage(copy, made(tmp_path / "staged"), REPO, export=False, bom=True)
    assert staged.ledger.rows[0].name == "registry.toml"
    shared = contents(tmp_path / "staged")
    assert b"anna" not in shared and b"registry.toml" in shared


def test_folders_of_the_machine_are_not_shared(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/anna b")
    monkeypatch.setenv("USERPROFILE", "/anna b")
    monkeypatch.setenv("SKINFW_CACHE", "/anna c/cache")
    monkeypatch.setattr(tempfile, "tempdir", "/anna d/temp")
    (tmp_path / "anna e").mkdir()
    monkeypatch.chdir(tmp_path / "anna e")
    texts = {
        "/anna b/x": "/anna c/cache/w.pth, /anna d/temp/y",
        "cwd": f"{tmp_path}/anna e/z; https://example.org/anna b/",
    }
    copy = with_record(copied(run, tmp_path), unavailable=texts)
    stage(copy, made(tmp_path / "staged"), REPO, export=False)
    record = json.loads((tmp_path / "staged" / "metrics.json").read_text(encoding="utf-8"))
    assert record["test"]["unavailable"] == {
        "x": "cache/w.pth, temp/y",
        "cwd": "anna e/z; https://example.org/anna b/",
    }


def test_arguments_of_programs_are_shared_with_a_warning(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    arguments = ["--weights=/home/anna/w.pt", "{inputs}", "--at=https://anna:secret@host/x", "--token=1"]
    command = {"type": "command", "program": "/opt/anna/paint", "arguments": arguments}
    shutil.copytree(run.folder, tmp_path / "copy")
    spec = json.loads((tmp_path / "copy" / "spec.json").read_text(encoding="utf-8"))
    spec["baselines"] = [command]
    (tmp_path / "copy" / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    copy = with_record(open_run(tmp_path / "copy"))
    with caplog.at_level(logging.WARNING, "skinfw"):
        stage(copy, made(tmp_path / "staged"), REPO, export=False)
    shared = json.loads((tmp_path / "staged" / "spec.json").read_text(encoding="utf-8"))
    assert shared["baselines"][0]["arguments"] == ["--weights=w.pt", "{inputs}", "--at=x", "--token=1"]
    content = contents(tmp_path / "staged")
    assert b"anna" not in content and b"secret" not in content + caplog.text.encode()
    assert "shortened: $.baselines[0].arguments; put no passwords there" in caplog.text


def test_passwords_in_addresses_are_not_shared(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shards = {"type": "shards", "root": "https://anna:secret@host/shards"}
    copy = with_spec(run, tmp_path / "copy", "data", dataset=shards)
    with caplog.at_level(logging.WARNING, "skinfw"):
        stage(copy, made(tmp_path / "staged"), REPO, export=False)
    assert "secret" not in caplog.text
    shared = contents(tmp_path / "staged")
    assert b"secret" not in shared and b"host" not in shared


@pytest.mark.parametrize(
    ("license", "hub"),
    [
        ("Apache-2.0", ("apache-2.0", None)),
        ("GPL-3.0", ("gpl-3.0", None)),
        ("GPL-3.0-or-later", ("other", "GPL-3.0-or-later")),
        ("EUPL-1.0", ("other", "EUPL-1.0")),
        ("MIT OR Apache-2.0", ("other", "MIT OR Apache-2.0")),
    ],
)
def test_licenses_that_the_hub_does_not_list(
    run: Run, tmp_path: Path, license: str, hub: tuple[str, str | None]
) -> None:
    stage(run, tmp_path, REPO, license_expression=license, export=False)
    card = ModelCard.load(tmp_path / "README.md")
    assert (card.data.license, card.data.license_name) == hub
