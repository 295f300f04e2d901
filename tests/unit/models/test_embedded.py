"""Models in the package: their names, their files, and how they get there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors import safe_open
from stand_ins import embed, models_in, tool

import skinfw
from skinfw.cli import main
from skinfw.components.reference import use
from skinfw.components.trust import named_outside
from skinfw.data.photo import Photo
from skinfw.doctor.installed_files import weights_checks
from skinfw.errors import SpecError, TrustError, UserError
from skinfw.inference.open_model import open_model
from skinfw.models import embedded
from skinfw.models.embedded import CARD, MAX_BYTES, RECORD, embedded_file, embedded_models
from skinfw.models.named import model_file
from skinfw.runs.checkpoint_header import KEY
from skinfw.runs.checkpoints import read_checkpoint
from skinfw_plugins.segmenters.config_parser import ParserConfig
from skinfw_plugins.segmenters.parser import ParserSegmenter

Make = Callable[..., Any]


def call(*arguments: object) -> Any:
    return CliRunner().invoke(main, [str(each) for each in arguments])


def test_every_model_in_the_package_is_complete_and_all_are_small() -> None:
    """Those that are really there, however many: nothing else is in the folder."""
    there = {path.name for path in embedded.FOLDER.iterdir() if path.is_dir() and path.name != "__pycache__"}
    models = embedded_models()
    assert there == set(models)
    for name, model in models.items():
        files = {path.name for path in model.folder.iterdir()}
        assert files == {RECORD, CARD, f"{name}.safetensors"}
        assert embedded_file(model.reference) == model.weights  # checks the SHA-256
        assert model.bytes == model.weights.stat().st_size
        card = model.card.read_text(encoding="utf-8")
        assert card.startswith(f"# {name}\n") and f"`{model.sha256}`" in card
        assert "By class of the individual typology angle" in card and model.license in card
    assert sum(model.bytes for model in models.values()) < MAX_BYTES
    purposes = [model.default_for for model in models.values() if model.default_for]
    assert len(purposes) == len(set(purposes))


def test_the_stand_ins_are_complete_too(models: Path) -> None:
    test_every_model_in_the_package_is_complete_and_all_are_small()
    assert list(embedded_models()) == ["street-painter", "street-parser", "street-region"]


def test_every_note_for_a_card_can_be_read() -> None:
    notes = {path.stem: tool().read_notes(path) for path in sorted(tool().NOTES.glob("*.toml"))}
    assert list(notes) == ["street-painter", "street-parser", "street-region"]
    assert notes["street-parser"].segmenter == {"type": "parser", "flip": True}


def test_a_model_keeps_neither_paths_nor_more_than_use_needs(models: Path) -> None:
    for name, part in (("street-parser", "network"), ("street-painter", "generator")):
        with safe_open(models / name / f"{name}.safetensors", framework="pt") as file:
            about = json.loads(file.metadata()[KEY])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        assert str(models.parent) not in json.dumps(about)
        assert "signature" not in about and "best" not in about
        assert {key.partition(".")[0] for key in tensors} == {part}
        assert {tensor.dtype for tensor in tensors.values()} <= {torch.float16, torch.int64}


def test_the_parser_in_the_package_segments_as_its_run_does(models: Path) -> None:
    run = ParserSegmenter(ParserConfig(path=models.parent / "street-parser", device="cpu"), None)
    named = ParserSegmenter(ParserConfig(path=Path("skinfw:street-parser"), device="cpu"), None)
    assert named.fingerprint() == embedded_models()["street-parser"].sha256
    photo = Photo.read(next((models.parent / "photos").rglob("01_1_front.png")))
    labels = named.segment(photo).labels
    assert np.mean(labels != run.segment(photo).labels) <= 0.005
    assert len(np.unique(labels)) > 1


def test_a_model_is_opened_by_name_without_trust_and_with_float32_weights(models: Path) -> None:
    found = open_model(Path("skinfw:street-painter"), "best", "cpu", trust=False)
    assert found.trusted
    assert found.network.size == (64, 32)
    weights: Any = found.network
    assert {each.dtype for each in weights._generator.parameters()} == {torch.float32}


def test_a_copy_of_a_model_is_a_strangers_checkpoint(models: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes((models / "street-painter" / "street-painter.safetensors").read_bytes())
    found = open_model(copy, "best", "cpu", trust=False)
    assert not found.trusted and found.network.size == (64, 32)


def test_only_a_name_in_the_package_is_not_outside() -> None:
    inside = use_parser("skinfw:x")
    assert named_outside(inside) == []
    (found,) = named_outside(use_parser("runs/parser"))
    assert (found.kind, found.place) == ("path", "$.path")


def use_parser(path: str) -> Any:
    return ParserConfig.model_validate({"path": path}, context={"stored": True})


def test_an_unknown_name_is_an_error_with_the_nearest(models: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="skinfw:street-parsr: no such model in skinfw; did you mean"):
        use("segmenter", "parser", path="skinfw:street-parsr")
    done = call("paint", "skinfw:street-paintr", tmp_path / "a.png", "-o", tmp_path / "b.png")
    assert done.exit_code == 2
    assert "did you mean 'street-painter'?" in done.stderr and "skinfw:street-region" in done.stderr


def test_without_models_the_error_says_how_to_make_them(no_models: None) -> None:
    with pytest.raises(UserError, match=r"contains no models.*tools/embed_model\.py"):
        model_file(Path("skinfw:street-parser"))
    listed = call("list", "models")
    assert listed.exit_code == 0 and "tools/embed_model.py" in listed.stderr


def test_a_changed_file_is_not_used(stand_ins: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "street-painter"
    folder.mkdir(parents=True)
    for path in (stand_ins / "street-painter").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    with models_in(folder.parent):
        weights = folder / "street-painter.safetensors"
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
        with pytest.raises(UserError, match=r"is not skinfw:street-painter: its SHA-256 is .*reinstall"):
            embedded_file("skinfw:street-painter")
        (check,) = [each for each in weights_checks() if each.name == "skinfw:street-painter"]
        assert check.state == "error" and "reinstall skinfw" in check.text
        weights.unlink()
        with pytest.raises(UserError, match="are missing; reinstall skinfw"):
            embedded_file("skinfw:street-painter")


def test_the_doctor_checks_the_models(models: Path) -> None:
    found = {each.name: each.state for each in weights_checks() if each.name.startswith("skinfw:")}
    assert found == {f"skinfw:street-{name}": "ok" for name in ("painter", "parser", "region")}


def test_models_are_listed_and_their_cards_shown(models: Path) -> None:
    listed = call("list", "models").stdout.splitlines()
    assert [line.split()[0] for line in listed[1:]] == [
        "skinfw:street-painter", "skinfw:street-parser", "skinfw:street-region",
    ]  # fmt: skip
    assert "48x32" in listed[2] and "Apache-2.0" in listed[2]
    assert "default for photos without label maps" in listed[2]
    (first, *_) = json.loads(call("list", "model", "--json").stdout)
    assert first["name"] == "street-painter"
    shown = call("show", "model", "street-parser")
    assert shown.stdout == (models / "street-parser" / CARD).read_text(encoding="utf-8")
    assert json.loads(call("show", "model", "street-parser", "--json").stdout)["size"] == [48, 32]


def test_a_card_has_results_by_skin_tone_and_the_text_of_its_notes(models: Path) -> None:
    for name in ("street-parser", "street-painter"):
        text = (models / name / CARD).read_text(encoding="utf-8")
        tones = text.partition("By class of the individual typology angle")[2].partition("##")[0]
        # drawn people have every tone: the images of all classes are the test images
        rows = [line.split("|")[2].split()[0] for line in tones.splitlines() if line.count("|") > 2][2:]
        count = int(text.partition("On ")[2].split()[0])
        assert sum(map(int, rows)) == count
        assert "It has seen nothing but drawings." in text


def test_models_that_are_too_large_together_are_not_put_in_place(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool(), "MAX_BYTES", sum(each.bytes for each in embedded_models().values()))
    with pytest.raises(UserError, match="all together may have"):
        embed(models.parent / "street-painter", "another", "painting", tmp_path / "models")
    assert not (models / "another").exists()


def test_results_of_other_weights_are_not_put_on_a_card(make_run: Make, models: Path, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    metrics = models.parent / "street-painter" / "metrics.json"
    (run.folder / "metrics.json").write_bytes(metrics.read_bytes())
    with pytest.raises(skinfw.SkinfwError, match="is of other weights"):
        embed(run.folder, "other", "painting", tmp_path / "models")


def test_generate_paints_samples_with_a_model_by_name(
    models: Path, write_sample: Make, tmp_path: Path
) -> None:
    write_sample(tmp_path / "in" / "a", size=(64, 32))
    done = call("generate", "skinfw:street-painter", tmp_path / "in", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "out" / "a.png").is_file()


def test_a_model_by_name_is_exported_as_onnx_with_samples(models: Path, tmp_path: Path) -> None:
    done = call("export", "skinfw:street-parser", tmp_path / "parser.onnx")
    assert done.exit_code == 2 and "name samples to compare on with --samples" in done.stderr


def test_training_starts_from_a_model_in_the_package(models: Path, tmp_path: Path) -> None:
    spec = json.loads((models.parent / "street-painter" / "spec.json").read_text(encoding="utf-8"))
    # so small a rate changes nothing: the weights after one step are those of the model
    spec["training"] |= {
        "initial_weights": "skinfw:street-painter", "epochs": None, "steps": 1, "generator_lr": 1e-30,
    }  # fmt: skip
    spec["augmentations"], spec["metrics"] = [], ["psnr"]
    run = skinfw.run(spec, output=tmp_path / "run")
    started = read_checkpoint(run.checkpoint("best")).weights("generator")
    model = read_checkpoint(embedded_file("skinfw:street-painter")).weights("generator")
    for name, value in model.items():
        if value.is_floating_point() and "running" not in name:
            assert torch.equal(started[name], value.float()), name


def test_benchmark_segmenters_measures_it_and_does_not_know_its_split(models: Path) -> None:
    from skinfw.benchmark.photos import chosen_photos

    reference = use("segmenter", "parser", path="skinfw:street-parser")
    photos = models.parent / "photos"
    assert len(chosen_photos(photos, use("segmenter", "deepfashion"), measured=[reference])) == 16
    with pytest.raises(UserError, match="skinfw:street-parser: has no record of its split"):
        chosen_photos(photos, use("segmenter", "deepfashion"), 0.2, measured=[reference])


def test_a_strangers_run_may_use_a_model_in_the_package(models: Path) -> None:
    """Its spec names nothing outside, so the segmenter of its data needs no trust."""
    from skinfw.inference.open_model import OpenModel, named_component
    from skinfw.specs.spec import Spec

    found = open_model(Path("skinfw:street-painter"), "best", "cpu", trust=False)
    value = found.spec.to_json()
    value["data"]["dataset"] = {
        "type": "photos",
        "root": "photos",
        "segmenter": segmenter("skinfw:street-parser"),
    }
    spec = Spec.model_validate(value)
    stranger = OpenModel(found.network, spec, False, found.path)
    named = named_component("segmenter", stranger)
    assert named is not None and named.name == "parser"
    value["data"]["dataset"]["segmenter"] = segmenter("/somewhere/parser")
    with pytest.raises(TrustError, match="/somewhere/parser"):
        named_component("segmenter", OpenModel(found.network, Spec.model_validate(value), False, found.path))


def segmenter(path: str) -> dict[str, str]:
    return {"type": "parser", "path": path}


def test_a_model_is_not_warned_of_when_skinfw_changes(models: Path, caplog: Any, monkeypatch: Any) -> None:
    from skinfw.runs import checkpoints

    path = models / "street-painter" / "street-painter.safetensors"
    monkeypatch.setattr(checkpoints, "_warned", set())
    changed = {key: "skinfw 0.0.9" for key in read_checkpoint(path).about["components"]}
    found = checkpoints._read(path)
    about = replace(found[0], components=changed)
    monkeypatch.setattr(checkpoints, "_read", lambda *_: (about, *found[1:]))
    open_model(Path("skinfw:street-painter"), "best", "cpu", trust=False)
    assert caplog.messages == []
    read_checkpoint(path)
    assert "was made with skinfw 0.0.9" in caplog.messages[0]
